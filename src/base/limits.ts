/** Bounds of every request. Sizes count decompressed bytes. @see docs/api/README.md */
export type Limits = {
  readonly urlBytesMax: number
  readonly urlValueBytesMax: number
  readonly headerBytesMax: number
  readonly resourceBytesMax: number
  readonly bundleBytesMax: number
  readonly binaryBytesMax: number
  /** Of all bodies under way together. */
  readonly bodiesBytesMax: number
  readonly formBytesMax: number
  readonly expansionMax: number
  readonly depthMax: number
  readonly transactionEntriesMax: number
  readonly batchEntriesMax: number
  readonly countDefault: number
  readonly countMax: number
  readonly historyCountDefault: number
  readonly includesMax: number
  readonly includeRoundsMax: number
  readonly pageBytesMax: number
  readonly orValuesMax: number
  readonly parametersMax: number
  readonly conditionalDeleteMax: number
  readonly issuesMax: number
  readonly patchOperationsMax: number
  readonly bodyIdleMs: number
  readonly bodyMs: number
  readonly readMs: number
  readonly searchMs: number
  readonly transactionMs: number
  readonly inFlightMax: number
  readonly waitingMax: number
  readonly waitMs: number
  readonly cursorMinutes: number
}

const KiB = 1024
const MiB = 1024 * KiB

export const defaultLimits: Limits = {
  urlBytesMax: 16 * KiB,
  urlValueBytesMax: 8 * KiB,
  headerBytesMax: 16 * KiB,
  resourceBytesMax: 8 * MiB,
  bundleBytesMax: 64 * MiB,
  binaryBytesMax: 64 * MiB,
  bodiesBytesMax: 512 * MiB,
  formBytesMax: MiB,
  expansionMax: 100,
  depthMax: 100,
  transactionEntriesMax: 5000,
  batchEntriesMax: 1000,
  countDefault: 20,
  countMax: 1000,
  historyCountDefault: 50,
  includesMax: 5000,
  includeRoundsMax: 5,
  pageBytesMax: 32 * MiB,
  orValuesMax: 1000,
  parametersMax: 100,
  conditionalDeleteMax: 100,
  issuesMax: 500,
  patchOperationsMax: 1000,
  bodyIdleMs: 30_000,
  bodyMs: 120_000,
  readMs: 10_000,
  searchMs: 30_000,
  transactionMs: 60_000,
  inFlightMax: 200,
  waitingMax: 1000,
  waitMs: 5000,
  cursorMinutes: 60,
}
