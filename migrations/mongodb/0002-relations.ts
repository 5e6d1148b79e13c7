/** Who stands in relation to which patient: what the newest versions say of it, one document for each row. See src/storage/mongodb/relation-documents.ts. */
export const relations = {
  number: 2,
  name: 'relations',
  collections: {
    // all of a question stands in the index: whom and whose, said by whom, until when and since
    relations: { indexes: [{ name: 'key', key: { key: 1, self: 1, until: 1, since: 1 } }] },
  },
} as const
