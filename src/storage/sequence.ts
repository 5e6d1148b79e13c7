const epochMs = Date.UTC(2024, 0, 1)
/** Seqs of one millisecond. */
const perMs = 4096

/** The first seq of a millisecond (ms since the Unix epoch). */
export const firstSeqOf = (ms: number): number => (ms - epochMs) * perMs
/** The millisecond a seq lies in: `meta.lastUpdated` of its version. */
export const msOfSeq = (seq: number): number => Math.floor(seq / perMs) + epochMs
