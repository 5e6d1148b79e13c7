import type { AccessFilter } from '../base/access-filter.ts'
import type { Node, SortKey } from './tree.ts'

/** What an engine answers by itself, from one kind of entries. */
export type Leaf =
  | Exclude<Node, { op: 'and' | 'or' | 'not' | 'all' | 'none' | 'chain' | 'reverse' | 'access' }>
  | Access
  | Still
  | List
  | Unsorted
  | Otherwise
/** The parts of an access filter that need entries of their own; the others became ordinary nodes. */
export type Access = {
  readonly op: 'access'
  readonly filter: Extract<AccessFilter, { op: 'patient' | 'patientless' | 'author' | 'owner' | 'labels' | 'patients' }>
  /** Of `patients`, where the engine looked them up before it planned: all that stand in the relation. */
  readonly patients?: readonly string[]
}
/** What is seen through a snapshot: that the newest version of the instance passes too, where it is another. Only who can tell makes it. */
export type Still = { readonly op: 'still'; readonly filter: AccessFilter }
/** Many alternatives of one parameter, found by one walk over the list. */
export type List = { readonly op: 'list'; readonly of: readonly Listed[] }
export type Listed = Extract<Node, { op: 'token' | 'reference' | 'string' }>
/** The resource has no value to sort by: it stands behind all that have one. */
export type Unsorted = { readonly op: 'unsorted'; readonly key: SortKey }

/** A value other than the token, or none: where those lie who have not the token. The planner makes it to drive; nobody asks it of a candidate. */
export type Otherwise = { readonly op: 'otherwise'; readonly of: Token & { readonly code: string } }
type Token = Extract<Node, { op: 'token' }>

/** A tree as the planner wants it: flat, access filters dissolved, `not` only around leaves and chains, `all` and `none` only alone. */
export type Plain =
  | { readonly op: 'and' | 'or'; readonly of: readonly Plain[] }
  | { readonly op: 'not'; readonly of: Plain }
  | { readonly op: 'all' }
  | { readonly op: 'none' }
  | Chain
  | Reverse
  | Leaf
export type Chain = { readonly op: 'chain'; readonly param: Extract<Node, { op: 'chain' }>['param']; readonly of: readonly PlainPart[] }
export type Reverse = { readonly op: 'reverse'; readonly param: Chain['param']; readonly of: PlainPart }
export type PlainPart = { readonly type: string; readonly where: Plain }

/** Where candidates come from. */
export type Driver =
  /** Entries of one conjunct. */
  | { readonly by: 'entries'; readonly node: Leaf }
  | { readonly by: 'union'; readonly of: readonly Source[] }
  /** All of the type, by seq. */
  | { readonly by: 'type' }
  /** The marked values of a parameter, in their order. */
  | { readonly by: 'sort'; readonly key: SortKey }
  /** Inner matches first, then who refers to them (chain) or to whom they refer (reverse). One source per inner type. */
  | { readonly by: 'inner'; readonly node: Chain | Reverse; readonly inner: readonly Source[] }

/** What is asked of each candidate. */
export type Probe =
  /** A seek per candidate. */
  | { readonly how: 'check'; readonly node: Leaf }
  /** All entries gathered once, then a look into them per candidate. */
  | { readonly how: 'set'; readonly node: Leaf }
  | { readonly how: 'any' | 'every'; readonly of: readonly Probe[] }
  | { readonly how: 'not'; readonly of: Probe }
  /** From the candidate along the reference, one list of probes per inner type. */
  | { readonly how: 'follow'; readonly node: Chain | Reverse; readonly inner: readonly (readonly Probe[])[] }
  /** Inner matches gathered once. */
  | { readonly how: 'inner'; readonly node: Chain | Reverse; readonly inner: readonly Source[] }

/** Candidates and what each must pass. `window`: conditions on `_lastUpdated`, which bound the walk itself. */
export type Source = {
  readonly type: string
  readonly driver: Driver
  readonly window: readonly Extract<Node, { op: 'lastUpdated' }>[]
  readonly probes: readonly Probe[]
}

/** A way that was weighed. Cost in microseconds. */
export type Candidate = { readonly driver: string; readonly entries: number; readonly visits: number; readonly cost: number }

/** How one part is answered. */
export type Plan = {
  readonly type: string
  /** What was asked, in the planner's form. */
  readonly where: Plain
  readonly source: Source
  /** `driver`: rows come in the wanted order. `top`: they are gathered and sorted. */
  readonly order: 'driver' | 'top'
  /** For a walk by sort values: how the resources without value are found, which follow. */
  readonly rest?: { readonly source: Source; readonly order: 'driver' | 'top' }
  /** Entries expected to be looked at. */
  readonly visits: number
  /** Microseconds expected. */
  readonly cost: number
  /** Resources expected to match. */
  readonly matches: number
  readonly candidates: readonly Candidate[]
  /** The parameter that costs most. */
  readonly dearest: string
}

/** What an engine can do with a leaf. Costs in microseconds. */
export type Traits = {
  /** Its entries come by seq, newest or oldest first. */
  readonly ordered: boolean
  /** Cost of asking one candidate; absent: only by gathering. */
  readonly check?: number
  /** Entries looked at to find those that match, when more. */
  readonly visits?: number
  /** Cost of making them ready, before the first. */
  readonly before?: number
  /** Its own entries cannot be walked. */
  readonly undrivable?: boolean
  /** Other conditions on its parameter are decided on its own entries. */
  readonly narrows?: boolean
  /** Its entries tell of most versions without a token that they have it not. */
  readonly sifts?: boolean
}

/** What the planner asks of an engine. Counts are estimates but for types and shapes, which are exact. */
export type Engine = {
  total(type: string): number
  /** Resources of the type that meet the leaf. */
  estimate(leaf: Leaf, type: string): number
  /** Resources of the type that have a value of the parameter. */
  holders(type: string, param: string): number
  traits(leaf: Leaf, type: string): Traits
  /** Whether the engine has the values of the key in order. */
  walks(key: SortKey, type: string): boolean
  /** Whether the values in order tell of most versions without a token that they have it not. */
  sifts?(key: SortKey): boolean
}
