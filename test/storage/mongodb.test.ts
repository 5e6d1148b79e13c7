import { describe, test } from '@jest/globals'
import { mongodbThere } from '../support/mongodb-address.ts'
import { openTestMongoStore } from '../support/mongodb-store.ts'
import { storeContract } from './contract.ts'

/** The MongoDB engine: the contract. What only this engine promises stands in mongodb-*.test.ts. */
if (mongodbThere) storeContract('mongodb', records => openTestMongoStore(undefined, records))
else describe.skip('mongodb', () => test('the contract', () => undefined))
