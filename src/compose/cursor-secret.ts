import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Config } from '../config/config.ts'

/** Seals page links. Made once and kept, so that links survive a restart. */
export const cursorSecret = (config: Config): Uint8Array => {
  if (config.cursorSecret !== undefined) return Buffer.from(config.cursorSecret)
  const path = join(config.dataDir, 'cursor.key')
  if (!existsSync(path)) makeSecret(path)
  return Buffer.from(readFileSync(path, 'utf8'), 'base64')
}

/** Several processes may do so at once: the first wins, and nobody reads half a secret. */
const makeSecret = (path: string): void => {
  mkdirSync(dirname(path), { recursive: true })
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, randomBytes(32).toString('base64'), { mode: 0o600 })
  try {
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft)
  }
}
