import type { Long } from 'mongodb'
import type { Method } from '../port.ts'

/** What the collections hold, field by field. `docs/operate/mongodb.md` tells operators the same. */

/** A seq goes in as a Long, so that a shell shows a whole number; it comes out as a number. */
export type Seq = Long | number

/** `{Type}`: the newest version of each instance, a deletion included. Without `ix` it is deleted, and no search meets it. */
export type NewestDocument = {
  /** The id of the instance. */
  readonly _id: string
  readonly seq: Seq
  readonly versionId: number
  readonly lastUpdated: Date
  readonly method: Method
  readonly deleted?: true
  /** The accepted JSON, byte for byte; absent for a deletion, and where it lies in parts. */
  readonly text?: string
  /** Number of parts in `simpul.texts` when the text is larger than a document should be. */
  readonly parts?: number
  /** The same as BSON, for people: decimals are doubles here. Only resourceType, id and meta where BSON cannot hold it or it is large; then `partial`. */
  readonly resource?: object
  readonly partial?: true
  readonly ix?: IndexEntries
  readonly patients: readonly string[]
  readonly organizations: readonly string[]
  readonly authors: readonly string[]
  readonly conf: number
  /** Absent for none. */
  readonly sens?: readonly string[]
  /** How many rows it has in `simpul.relations`; absent for none. */
  readonly relations?: number
  /** Seq of a plan that counted on this version without writing another: a change for the sake of whoever writes it at the same time. */
  readonly pin?: Seq
}

/** `{Type}.history`: a superseded version. `_id` is `{id}/{versionId}`. */
export type PastDocument = Pick<NewestDocument, 'seq' | 'versionId' | 'lastUpdated' | 'method' | 'deleted' | 'text' | 'parts'> & {
  readonly _id: string
  readonly id: string
  /** Seq of the version that came after. */
  readonly until: Seq
}

/** Index entries of a version; their texts are made by `entries.ts` alone. */
export type IndexEntries = {
  /** Tokens, references, shape, access, codes beside their patients; `*` in every one. */
  readonly tk: readonly string[]
  /** Strings, and composites with a string or nothing beside their key. */
  readonly st?: readonly string[]
  readonly dt?: readonly { readonly p: string; readonly l: Date; readonly h: Date }[]
  /** Numbers and quantities by unit, and composites with a range by key (`p` ends in `$`). */
  readonly nq?: readonly { readonly p: string; readonly u: string; readonly l: number; readonly h: number }[]
  /** Sort value of each parameter that has one, with the seq behind it; of one that has several the least, as `name+`. */
  readonly so?: Readonly<Record<string, string>>
  /** Greatest sort value of each parameter that has several. */
  readonly sd?: Readonly<Record<string, string>>
}
