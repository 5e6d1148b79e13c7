import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')

/**
 * Folder of real data for tests, or undefined when it is not there. Left-out tests say so in large letters; with `CI=true` absence
 * is a failure, unless `SIMPUL_TEST_DATA=none` says that this clone has none.
 */
export const testData = (folder: string): string | undefined => {
  const setting = process.env.SIMPUL_TEST_DATA ?? '../shared/data'
  const path = join(resolve(root, setting), folder)
  if (setting !== 'none' && existsSync(path)) return path
  if (process.env.CI === 'true' && setting !== 'none') throw new Error(`Test data "${folder}" is absent and CI demands it.`)
  process.stderr.write(`\n##### TEST DATA "${folder.toUpperCase()}" IS ABSENT: ITS TESTS ARE LEFT OUT #####\n`)
  return undefined
}
