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
  status(): Promise<readonly MigrationState[]>
  /** Does what is pending, each step once however many do this at the same time. Answers what it or others did meanwhile. Throws on gaps, unknown and changed steps. */
  up(): Promise<readonly MigrationState[]>
}
