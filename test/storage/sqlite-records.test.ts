/** The SQLite engine: the contract of records, blobs, loading and erasing, and what only this engine can be asked. */
import { openTestStore } from '../support/sqlite-store.ts'
import { blobsContract } from './contract-blobs.ts'
import { loadContract } from './contract-load.ts'
import { recordsContract } from './contract-records.ts'
import type { Open } from './contract-store.ts'

const open: Open = records => openTestStore(undefined, undefined, undefined, records)
recordsContract('sqlite', open)
blobsContract('sqlite', open)
loadContract('sqlite', open)
