import type { Document, Filter, FindCursor } from 'mongodb'
import type { Database } from './database.ts'
import type { Stretch } from './record-bounds.ts'
import type { RecordCollection } from './record-collections.ts'
import type { RecordDocument } from './record-documents.ts'

type Reading = { readonly limit: number; readonly projection?: Document }

/** Records of a stretch whose time is not over, in its order, of one committed state: a record that moves meanwhile is not met twice. */
export const readIn = (
  database: Database,
  records: RecordCollection,
  { index, min, max, sort }: Stretch,
  filter: Filter<RecordDocument>,
  { limit, projection }: Reading,
): FindCursor<RecordDocument> =>
  database.collections.own<RecordDocument>(records.name).find(
    { $and: [index.filter, alive(records, database.clock()), filter] },
    {
      hint: index.hint,
      ...(min === undefined ? {} : { min }),
      ...(max === undefined ? {} : { max }),
      sort,
      limit,
      batchSize: limit + 1,
      readConcern: { level: 'snapshot' },
      ...(projection === undefined ? {} : { projection }),
    },
  )

/** One whose time is over is as if it were not there. */
export const alive = ({ expires }: RecordCollection, now: number): Filter<RecordDocument> =>
  expires === undefined ? {} : { [expires]: { $not: { $lte: now } } }
