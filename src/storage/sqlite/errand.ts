import type { Key, LoadedBeside, LoadedVersion } from '../port.ts'
import type { Bounds } from './record-bounds.ts'

/** Rows to hand out, in the order of an index. */
export type Taking = {
  readonly record: string
  readonly index: string
  readonly n: number
  readonly leaseMs: number
  readonly bounds: Bounds
}
export type TakenRow = { readonly key: string; readonly revision: number; readonly text: string; readonly times: number }

/** A part on its way: `blob` 0 begins a new one. `last` makes it whole. */
export type Part = { readonly blob: number; readonly n: number; readonly last: boolean }

/** A version, or a whole instance. */
export type Erasing = Key & { readonly versionId?: number }

/** What a plan of the engine itself may ask of the writer besides writing: it waits, is grouped and is answered like any other plan. */
export type Errand =
  | ({ readonly kind: 'take' } & Taking)
  | { readonly kind: 'extend'; readonly record: string; readonly key: string; readonly lease: number; readonly leaseMs: number }
  /** Its bytes lie among the texts of the message. */
  | ({ readonly kind: 'part'; readonly start: number; readonly length: number } & Part)
  | { readonly kind: 'drop'; readonly blob: number }
  | { readonly kind: 'sweep-dropped' }
  /** Seqs of the versions of the plan. */
  | { readonly kind: 'load'; readonly seqs: readonly number[] }
  | { readonly kind: 'load-beside'; readonly rows: readonly LoadedBeside[] }
  | { readonly kind: 'erase'; readonly items: readonly Erasing[] }

export type ErrandResult =
  | { readonly kind: 'taken'; readonly rows: readonly TakenRow[] }
  | { readonly kind: 'held'; readonly held: boolean }
  /** Number of the blob. */
  | { readonly kind: 'part'; readonly blob: number | undefined }
  | { readonly kind: 'more'; readonly more: boolean }
  | { readonly kind: 'refused'; readonly refused: Key & { readonly versionId?: number } }
  | { readonly kind: 'erased'; readonly versions: number; readonly next?: number }

/** Versions with their seqs as a plan can carry them: there is no instant to fill in. */
export const loading = (versions: readonly LoadedVersion[]) => ({
  plan: { expects: [], guards: [], versions: versions.map(({ seq: _, ...version }) => ({ ...version, lastUpdatedOffset: -1 })) },
  errand: { kind: 'load', seqs: versions.map(({ seq }) => seq) } as const,
})
