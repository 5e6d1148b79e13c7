import type { StoredVersion } from '../port.ts'
import { msOfSeq } from '../sequence.ts'
import { methodNumbers, methodOf } from './plan-tape.ts'

/** A version as reading statements deliver it, in this order of columns (arrays cost less than objects). */
export const versionColumns = 'v.seq, v.vid, v.method, v.text'
export type VersionRow = readonly [seq: number, vid: number, method: number, text: Uint8Array]

export const storedVersion = (type: string, id: string, row: VersionRow): StoredVersion => ({
  type,
  id,
  versionId: row[1],
  seq: row[0],
  lastUpdated: msOfSeq(row[0]),
  method: methodOf(row[2]),
  deleted: row[2] === methodNumbers.DELETE,
  text: row[3],
})
