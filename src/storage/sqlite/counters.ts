import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** Exact numbers of live instances per shape: gathered during a group, written once at its end. */
export class ShapeCounts {
  readonly #changes = new Map<number, number>()
  readonly #add: StatementSync

  constructor(db: DatabaseSync) {
    this.#add = db.prepare('UPDATE shape SET live = live + ? WHERE sh = ?')
  }

  add(shape: number, by: 1 | -1): void {
    if (shape !== 0) this.#changes.set(shape, (this.#changes.get(shape) ?? 0) + by)
  }

  write(): void {
    for (const [shape, by] of this.#changes) if (by !== 0) this.#add.run(by, shape)
    this.#changes.clear()
  }

  forget(): void {
    this.#changes.clear()
  }
}

/** Named counters: `next` numbers from 1. */
export class Counters {
  readonly #select: StatementSync
  readonly #write: StatementSync

  constructor(db: DatabaseSync) {
    this.#select = db.prepare('SELECT value FROM counter WHERE key = ?')
    this.#write = db.prepare('INSERT INTO counter(key, value) VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value')
  }

  value(key: string): number {
    return (this.#select.get(key)?.value as number | undefined) ?? 0
  }

  set(key: string, value: number): void {
    this.#write.run(key, value)
  }
}

/** Live instances per type, from the counts of its shapes. */
export const countsPerType = (db: DatabaseSync): StatementSync =>
  db.prepare('SELECT type.name, sum(shape.live) AS live FROM shape JOIN type USING (t) GROUP BY t HAVING sum(shape.live) > 0')
