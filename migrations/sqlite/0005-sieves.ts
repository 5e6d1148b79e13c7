/**
 * What a version may have, beside the entries of its patients and dates: who looks for a code among all that is about some patients, or from the newest
 * date on, need not look up each of them. Versions from before have none, and are looked up.
 * @see docs/decisions/access-in-the-query.md
 */
export const sieves = {
  number: 5,
  name: 'sieves',
  sql: `
-- three bits of 48 for each token of the version (src/storage/sqlite/sieve.ts); absent: not known
ALTER TABLE pat ADD COLUMN sieve INTEGER;
ALTER TABLE dat ADD COLUMN sieve INTEGER;
`,
} as const
