import type { Outcome } from '../../base/outcome.ts'
import { ok } from '../../base/outcome.ts'
import type { Ground } from '../ground.ts'
import { secretHash } from '../secrets.ts'
import { type LibraryRow, libraryRecords } from '../server/library-rows.ts'

/** Whether nobody used this before, in any node: one statement decides which of many equal uses is the first. `until` (ms): as long as it could be used at all. */
export const isFirstUse = async ({ store }: Pick<Ground, 'store'>, what: readonly string[], until: number): Promise<Outcome<boolean>> => {
  const row: LibraryRow = { id: secretHash(JSON.stringify(what)), model: 'ReplayDetection', expires: until }
  const done = await store.records<LibraryRow>(libraryRecords).put(row, 'none')
  return done.ok ? ok(done.value.held) : done
}
