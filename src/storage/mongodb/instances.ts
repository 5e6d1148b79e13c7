import type { ClientSession } from 'mongodb'
import type { Key } from '../port.ts'
import type { Database } from './database.ts'
import { shapePlace } from './values.ts'
import type { Superseded } from './version-documents.ts'

/** What a transaction knows of an instance. `shape`: the entry of its newest version in the index, absent when that is no more in it. */
export type Instance = Superseded & { readonly shape?: string; readonly relations?: number }

/** All that is taken along when another version follows. */
const whole = {
  seq: 1,
  versionId: 1,
  lastUpdated: 1,
  method: 1,
  deleted: 1,
  text: 1,
  parts: 1,
  relations: 1,
  shape: { $arrayElemAt: ['$ix.tk', shapePlace] },
}
const head = { seq: 1, versionId: 1, deleted: 1 }

/** Instances as a transaction sees them: read before anything is decided, one question for each type. */
export class Instances {
  readonly #database: Database
  readonly #session: ClientSession
  readonly #known = new Map<string, Instance>()

  constructor(database: Database, session: ClientSession) {
    this.#database = database
    this.#session = session
  }

  /** `texts`: with what `supersededDocument` needs. */
  async read(keys: Iterable<Key>, texts: boolean): Promise<void> {
    const ids = new Map<string, Set<string>>()
    for (const { type, id } of keys) {
      const ofType = ids.get(type)
      if (ofType === undefined) ids.set(type, new Set([id]))
      else ofType.add(id)
    }
    for (const [type, ofType] of ids) {
      const found = this.#database.collections
        .newest(type)
        .find({ _id: { $in: [...ofType] } }, { session: this.#session, projection: texts ? whole : head })
      for await (const one of found) this.#known.set(`${type}/${one._id}`, one as unknown as Instance) // as projected
    }
  }

  get({ type, id }: Key): Instance | undefined {
    return this.#known.get(`${type}/${id}`)
  }

  isLive(key: Key): boolean {
    const known = this.get(key)
    return known !== undefined && known.deleted !== true
  }
}

/** Number of the shape; 0 for none. */
export const shapeOfInstance = ({ shape = 'shape#0' }: Instance): number => Number(shape.slice(shape.indexOf('#') + 1))
