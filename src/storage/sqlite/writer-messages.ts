import type { MessagePort } from 'node:worker_threads'
import type { RecordDefinition } from '../port.ts'
import type { Applied } from './commit.ts'
import type { Synchronous } from './connection.ts'
import type { PackedPlans } from './plan-tape.ts'

/** What the HTTP thread and the writer thread say to each other. `now` is the clock of the thread that owns it, in ms. */
export type WriterStart = {
  readonly path: string
  readonly synchronous: Synchronous
  readonly bytesMax?: number
  /** Memory shared with the one process that reads; or, where several do, how long their snapshots live. */
  readonly snapshots: SharedArrayBuffer | { readonly lifetimeMs: number }
  readonly records: readonly RecordDefinition[]
  readonly now: number
}

/** What only the thread that started the writer says. `reader`: the messages of another process come through this port, serialized. */
export type ToWriterThread = ToWriter | { readonly kind: 'reader'; readonly port: MessagePort } | { readonly kind: 'close' }

export type ToWriter =
  | { readonly kind: 'plans'; readonly now: number; readonly packed: PackedPlans }
  | { readonly kind: 'horizon'; readonly id: number; readonly now: number }
  | { readonly kind: 'ping'; readonly id: number }
  | { readonly kind: 'sweep'; readonly now: number }

export type FromWriter =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answers'; readonly answers: readonly WriterAnswer[]; readonly state: WriterState }
  | { readonly kind: 'number'; readonly id: number; readonly value: number }
  | { readonly kind: 'number'; readonly id: number; readonly broken: Broken }
  | { readonly kind: 'state'; readonly state: WriterState }

/** Counts since the start, of what this reader sent, so that those of all readers add up; and how the file stands. */
export type WriterState = {
  readonly commits: number
  readonly plans: number
  readonly versions: number
  readonly dead: number
  readonly walBytes: number
}

export type WriterAnswer = { readonly id: number; readonly applied: Applied } | { readonly id: number; readonly broken: Broken }

/** Why a plan could not be written: no space, no working disk, or a bug (with SQLite's message, which names columns and never values). */
export type Broken = { readonly why: 'disk-full' | 'no-store' | 'bug'; readonly message: string }
