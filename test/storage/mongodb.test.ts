import { describe } from '@jest/globals'
import { mongodbThere } from '../support/mongodb-address.ts'
import { openTestMongoStore } from '../support/mongodb-store.ts'
import { storeContract } from './contract.ts'

const whereMongodb = mongodbThere ? describe : describe.skip

/** The MongoDB engine. What only this engine promises stands in mongodb-*.test.ts. */
whereMongodb('the contract', () => storeContract('mongodb', records => openTestMongoStore(undefined, records)))
