/**
 * What `storage/port.ts` promises, sentence by sentence, for any engine: one file for each subject. New behaviour enters here first.
 * @see storage-and-search.md 2 to 4 and 17
 */
import { accessContract } from './contract-access.ts'
import { besideContract } from './contract-beside.ts'
import { blobsContract } from './contract-blobs.ts'
import { commitContract } from './contract-commit.ts'
import { historyContract } from './contract-history.ts'
import { loadContract } from './contract-load.ts'
import { readsContract } from './contract-reads.ts'
import { recordsContract } from './contract-records.ts'
import type { Open } from './contract-store.ts'
import { versionsContract } from './contract-versions.ts'

export const storeContract = (name: string, open: Open): void => {
  for (const part of [
    versionsContract,
    commitContract,
    historyContract,
    readsContract,
    recordsContract,
    blobsContract,
    loadContract,
    besideContract,
    accessContract,
  ])
    part(name, open)
}
