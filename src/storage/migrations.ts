import { StoreUnusable } from './unusable.ts'

/** One step of a schema, as `simpul migrate status` tells it. Steps go forward only. */
export type MigrationState = {
  /** From 1, without gaps. */
  readonly number: number
  readonly name: string
  readonly state: 'done' | 'pending'
  /** When it was done (ms). */
  readonly at?: number
}

/** What an engine offers for `simpul migrate`, without opening a store for serving. */
export type Migrations = AsyncDisposable & {
  /** Throws like `up` when what was done is not what is known. */
  status(): Promise<readonly MigrationState[]>
  /** Does what is pending, each step once however many do this at the same time. Answers what it or others did meanwhile. Throws on gaps, unknown and changed steps. */
  up(): Promise<readonly MigrationState[]>
}

type Known = { readonly number: number; readonly name: string }
/** What a store remembers of a step. */
export type Done = Known & { readonly checksum: string; readonly at: number }

/**
 * The steps that the store lacks. Throws `StoreUnusable` when the list or the store has gaps, when a recorded step is unknown here (the store is
 * newer than the program) or reads differently now.
 */
export const pendingOf = <S extends Known>(list: readonly S[], done: readonly Done[], checksum: (step: S) => string): readonly S[] => {
  for (const [at, one] of list.entries()) {
    if (one.number !== at + 1) throw refused(`Migrations have a gap: number ${at + 1} is missing before ${one.number}-${one.name}`)
  }
  for (const [at, one] of done.entries()) {
    if (one.number !== at + 1)
      throw refused(`The store lacks migration ${at + 1} but has ${one.number}-${one.name}; restore it from a backup`)
    const known = list[at]
    if (known === undefined)
      throw refused(`The store has migration ${one.number}-${one.name}, which this version does not know; use a newer one`)
    if (checksum(known) !== one.checksum) throw refused(`Migration ${one.number}-${one.name} was changed after it ran`)
  }
  return list.slice(done.length)
}

const refused = (message: string): StoreUnusable => new StoreUnusable('refused', message)

export const statesOf = (list: readonly Known[], done: readonly Done[]): readonly MigrationState[] =>
  list.map(({ number, name }) => {
    const at = done.find(one => one.number === number)?.at
    return at === undefined ? { number, name, state: 'pending' } : { number, name, state: 'done', at }
  })

const pollMs = 500

/** Until somebody else has brought the schema up: nothing is changed here. Throws after `waitMs`, and on what `up` throws on. */
export const migrated = async (migrations: Migrations, waitMs: number): Promise<void> => {
  for (let waited = 0; ; waited += pollMs) {
    const pending = (await migrations.status()).filter(({ state }) => state === 'pending')
    if (pending.length === 0) return
    if (waited >= waitMs)
      throw refused(
        `The store still lacks migration ${pending[0]?.number}-${pending[0]?.name}. Run "npx simpul migrate up", or unset SIMPUL_MIGRATE.`,
      )
    await new Promise(again => setTimeout(again, pollMs))
  }
}
