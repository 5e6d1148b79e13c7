import type { AccessSubject } from '../../base/access-filter.ts'
import { hints } from './collections.ts'
import type { Database } from './database.ts'
import { majority, seqOf } from './raw-versions.ts'
import { blocksOf } from './reader.ts'

/** Keys in one question. */
const keysMax = 500
const attributes = { patients: 1, organizations: 1, authors: 1 } as const

type Attributes = Omit<AccessSubject, 'id'> & { readonly _id: string }

/**
 * What access filters ask of versions: the attributes of the newest version of their instance, as it is now and not as a snapshot has it, so that
 * what was withdrawn is withdrawn from all pages at once. What was erased is missing.
 */
export class AccessOfVersions {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async ofSeqs(rows: readonly { readonly seq: number; readonly type: string }[]): Promise<ReadonlyMap<number, AccessSubject>> {
    const subjects = new Map<number, AccessSubject>()
    for (const [type, of] of Map.groupBy(rows, row => row.type))
      for (const block of blocksOf(of, keysMax))
        await this.#ofType(
          type,
          block.map(({ seq }) => seq),
          subjects,
        )
    return subjects
  }

  async #ofType(type: string, seqs: readonly number[], subjects: Map<number, AccessSubject>): Promise<void> {
    const { collections } = this.#database
    const newest = await collections
      .newest(type)
      .find({ seq: { $in: seqs.map(seqOf) } }, { ...majority, hint: hints.seq, projection: { seq: 1, ...attributes } })
      .toArray()
    for (const one of newest) subjects.set(Number(one.seq), subjectOf(one))
    const others = seqs.filter(seq => !subjects.has(seq)).map(seqOf)
    if (others.length === 0) return
    const past = await collections
      .past(type)
      .find({ seq: { $in: others } }, { ...majority, hint: hints.pastSeq, projection: { seq: 1, id: 1 } })
      .toArray()
    const ids = [...new Set(past.map(({ id }) => id))]
    const owners = await collections
      .newest(type)
      .find({ _id: { $in: ids } }, { ...majority, projection: attributes })
      .toArray()
    const byId = new Map(owners.map(owner => [owner._id, subjectOf(owner)]))
    for (const { seq, id } of past) {
      const subject = byId.get(id)
      if (subject !== undefined) subjects.set(Number(seq), subject)
    }
  }
}

const subjectOf = ({ _id, patients = [], organizations = [], authors = [] }: Attributes): AccessSubject => ({
  id: _id,
  patients,
  organizations,
  authors,
})
