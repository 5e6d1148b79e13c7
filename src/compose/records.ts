import { accountStoreRecords } from '../auth/records.ts'
import type { RecordDefinition } from '../storage/port.ts'

/** The durable documents of all rooms that keep some: each room defines its own, every engine is given all. */
export const records: readonly RecordDefinition[] = [...accountStoreRecords]
