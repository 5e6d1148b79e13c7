/** Whom any relation ever served, so that a search leaves out what nobody stands in. See src/storage/mongodb/served-words.ts. */
export const served = {
  number: 3,
  name: 'served',
  collections: {
    // { _id: '{kind}#{of}' }
    served: {},
  },
  fills: {
    // what was said before there was a place for it
    relations: [
      { $group: { _id: '$key' } },
      { $group: { _id: { $arrayElemAt: [{ $split: ['$_id', '\u0000'] }, 0] } } },
      { $merge: { into: 'simpul.served', whenMatched: 'keepExisting' } },
    ],
  },
} as const
