/**
 * Ids of blobs that came from another store: here a blob goes by its number, elsewhere by whatever text, and who refers to it must go on finding it.
 * @see docs/operate/copy.md
 */
export const blobNames = {
  number: 3,
  name: 'blob-names',
  sql: `
-- a blob that stands here has this id and no longer its number
CREATE TABLE blob_name(name TEXT PRIMARY KEY, b INTEGER NOT NULL UNIQUE) STRICT, WITHOUT ROWID;
`,
} as const
