import type { DatabaseSync, StatementSync } from 'node:sqlite'

export const states = { referred: 0, live: 1, deleted: 2, purged: 3 } as const

/** What the writer knows of an instance. `shape` is that of its newest version, 0 when that is not indexed. */
export type Instance = { readonly iid: number; seq: number; versionId: number; state: number; shape: number }

const rememberedMax = 100_000

/** Instances as the writer sees them, remembered between plans: bundles refer to the same patient again and again. */
export class Instances {
  readonly #remembered = new Map<number, Map<string, Instance>>()
  #size = 0
  readonly #select: StatementSync
  readonly #insert: StatementSync
  readonly #update: StatementSync

  constructor(db: DatabaseSync) {
    this.#select = db.prepare(
      'SELECT i.iid, i.seq, i.vid, i.state, l.sh FROM instance i LEFT JOIN live l ON l.seq = i.seq WHERE i.t = ? AND i.id = ?',
    )
    this.#select.setReturnArrays(true)
    this.#insert = db.prepare('INSERT INTO instance(t, id, seq, vid, state) VALUES (?, ?, ?, ?, ?)')
    this.#update = db.prepare('UPDATE instance SET seq = ?, vid = ?, state = ? WHERE iid = ?')
  }

  find(t: number, id: string): Instance | undefined {
    const known = this.#remembered.get(t)?.get(id)
    if (known !== undefined) return known
    // An array row, as setReturnArrays says; the types of node:sqlite only know objects.
    const row = this.#select.get(t, id) as unknown as readonly (number | null)[] | undefined
    if (row === undefined) return undefined
    const [iid, seq, versionId, state, shape] = row as readonly number[]
    return this.#remember(t, id, { iid: iid ?? 0, seq: seq ?? 0, versionId: versionId ?? 0, state: state ?? 0, shape: shape ?? 0 })
  }

  /** The instance, known from now on if only by name: a reference may come before its target. */
  refer(t: number, id: string): Instance {
    return this.find(t, id) ?? this.#create(t, id, 0, 0, states.referred)
  }

  /** Notes the new newest version. `shape` is filled in by whoever indexes it. */
  advance(known: Instance | undefined, t: number, id: string, next: { seq: number; versionId: number; state: number }): Instance {
    if (known === undefined) return this.#create(t, id, next.seq, next.versionId, next.state)
    this.#update.run(next.seq, next.versionId, next.state, known.iid)
    known.seq = next.seq
    known.versionId = next.versionId
    known.state = next.state
    known.shape = 0
    return known
  }

  /** Its versions are gone; it is written anew from version 1 if ever it is. */
  purge(known: Instance): void {
    this.#update.run(0, 0, states.purged, known.iid)
    known.seq = 0
    known.versionId = 0
    known.state = states.purged
    known.shape = 0
  }

  /** After a rollback, or when somebody else wrote to the file. */
  forget(): void {
    this.#remembered.clear()
    this.#size = 0
  }

  #create(t: number, id: string, seq: number, versionId: number, state: number): Instance {
    const iid = Number(this.#insert.run(t, id, seq, versionId, state).lastInsertRowid)
    return this.#remember(t, id, { iid, seq, versionId, state, shape: 0 })
  }

  #remember(t: number, id: string, instance: Instance): Instance {
    if (this.#size >= rememberedMax) this.forget()
    const ofType = this.#remembered.get(t)
    if (ofType === undefined) this.#remembered.set(t, new Map([[id, instance]]))
    else ofType.set(id, instance)
    this.#size++
    return instance
  }
}
