import type { Beside } from './port.ts'

const kinds: readonly Beside['kind'][] = ['blob', 'counter', 'once', 'record', 'unique']

/** Rows beside the versions in their order: by kind, kind of record, and key, texts by their UTF-8 bytes. Below 0: `a` comes first. */
export const besideOrder = (a: Beside, b: Beside): number =>
  kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || byBytes(recordOf(a), recordOf(b)) || byBytes(a.key, b.key)

const recordOf = (row: Beside): string => (row.kind === 'record' ? row.record : '')

const byBytes = (a: string, b: string): number => (a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b)))

/** Rows in one block at most, and how much text of records. */
export const besideRowsMax = 1_000
export const besideTextMax = 4 * 1024 * 1024
