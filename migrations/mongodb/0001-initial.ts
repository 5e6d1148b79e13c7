/**
 * The first layout of the store, as data. A released step never changes: its checksum is compared at every start.
 * `types` is what every resource type gets when its first resource comes (`{Type}` and `{Type}.history`).
 * What the fields mean: src/storage/mongodb/documents.ts and docs/operate/mongodb.md.
 */
export const initial = {
  number: 1,
  name: 'initial',
  collections: {
    // numbers for words that repeat: { _id: uri, n } and { _id: '{type} {codes}', n, type, codes }; numbers: the last one given
    systems: {},
    shapes: { indexes: [{ name: 'type', key: { type: 1, n: 1 } }] },
    numbers: {},
    // resource types whose collections are complete: { _id: type, layout }
    types: {},
    // what one process at a time may do: { _id, holder, until }; what kinds of records are known to be
    leases: {},
    definitions: {},
    // leased writer slots: { _id: 0..63, epoch, writer, at, bound, shapes: { number: live instances } }
    slots: {},
    // where writers that may decide about the same thing meet; volatile
    guards: { indexes: [{ name: 'at', key: { at: 1 }, expireAfterSeconds: 3600 }] },
    unique: { indexes: [{ name: 'owner', key: { owner: 1 } }] },
    once: {},
    counters: {},
    texts: { compressed: true },
    blobs: {
      indexes: [
        { name: 'seq', key: { seq: 1 }, partialFilterExpression: { seq: { $exists: true } } },
        { name: 'at', key: { state: 1, at: 1 } },
      ],
    },
    blobparts: {},
    // seqs of erased versions, for longer than any snapshot of before lives
    erased: { indexes: [{ name: 'at', key: { at: 1 }, expireAfterSeconds: 172_800 }] },
  },
  types: {
    newest: {
      indexes: [
        { name: 'seq', key: { seq: -1 } },
        { name: 'tk', key: { 'ix.tk': 1, seq: -1 } },
        { name: 'st', key: { 'ix.st': 1, seq: -1 } },
        // both ends of a range: the second is looked at without fetching the document
        { name: 'dt_low', key: { 'ix.dt.p': 1, 'ix.dt.l': 1, 'ix.dt.h': 1 } },
        { name: 'dt_high', key: { 'ix.dt.p': 1, 'ix.dt.h': 1, 'ix.dt.l': 1 } },
        { name: 'nq', key: { 'ix.nq.p': 1, 'ix.nq.u': 1, 'ix.nq.l': 1, 'ix.nq.h': 1 } },
        { name: 'so', key: { 'ix.so.$**': 1 } },
        { name: 'sd', key: { 'ix.sd.$**': 1 } },
      ],
      validator: {
        $jsonSchema: {
          required: ['seq', 'versionId', 'lastUpdated', 'method', 'patients', 'organizations', 'authors', 'conf'],
          properties: {
            _id: { bsonType: 'string' },
            seq: { bsonType: 'long' },
            versionId: { bsonType: 'number', minimum: 1 },
            lastUpdated: { bsonType: 'date' },
            method: { enum: ['POST', 'PUT', 'DELETE'] },
            deleted: { enum: [true] },
            text: { bsonType: 'string' },
            parts: { bsonType: 'number', minimum: 1 },
            ix: { bsonType: 'object', required: ['tk'] },
          },
          // What is deleted is in no index; what lives has its index entries and its text, here or in parts.
          oneOf: [
            { required: ['deleted'], not: { anyOf: [{ required: ['ix'] }, { required: ['text'] }, { required: ['parts'] }] } },
            { required: ['ix'], not: { required: ['deleted'] }, oneOf: [{ required: ['text'] }, { required: ['parts'] }] },
          ],
        },
      },
    },
    past: {
      indexes: [
        { name: 'id', key: { id: 1, seq: -1 } },
        // `until` beside it: what was current at some moment is decided without reading texts
        { name: 'seq', key: { seq: 1, until: 1 } },
      ],
      validator: {
        $jsonSchema: {
          required: ['id', 'seq', 'until', 'versionId', 'lastUpdated', 'method'],
          properties: {
            _id: { bsonType: 'string' },
            id: { bsonType: 'string' },
            seq: { bsonType: 'long' },
            until: { bsonType: 'long' },
            versionId: { bsonType: 'number', minimum: 1 },
            lastUpdated: { bsonType: 'date' },
            method: { enum: ['POST', 'PUT', 'DELETE'] },
            deleted: { enum: [true] },
            text: { bsonType: 'string' },
            parts: { bsonType: 'number', minimum: 1 },
          },
          oneOf: [{ required: ['deleted'] }, { required: ['text'] }, { required: ['parts'] }],
        },
      },
    },
  },
} as const
