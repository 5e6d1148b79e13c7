import type { Confidentiality } from '../../base/access-filter.ts'

/** Relations of auth.md 4.1; `home` is what a cell without a relation has: nobody's data, and that of the role's own relation. */
export type Relation = 'A' | 'F' | 'C' | 'Q' | 'O' | 'S' | 'home'

/** One search parameter and the values of which it must have one. `{user}` and `{documents}` stand for the principal's own. */
export type ParamDemand = { readonly code: string; readonly values: readonly string[] }

/** What is owed beside an answer: a recorded first link of a patient to a facility, a copy of an AuditEvent without its other patients. */
export type GrantObligation = 'first-link' | 'patient-copy'

/** How much of a resource is shown. Whatever is hidden takes narrative, extensions and contained resources with it. */
export type View = {
  readonly name: string
  /** Of its elements only these, and those without which it is no resource of its type. */
  readonly only?: readonly string[]
  /** Paths below the resource that are hidden. */
  readonly hide?: readonly string[]
  /** Elements that hold identifiers, shown by their last four characters, medical record numbers whole. */
  readonly mask?: readonly string[]
  /** Of these lists only the items with one of these `use`s. */
  readonly uses?: Readonly<Record<string, readonly string[]>>
  /** Codes, dates and references alone. */
  readonly coded?: true
  /** Only resources of these types are touched. */
  readonly persons?: readonly string[]
}

/** One clause of a cell of the matrix, for one type. */
export type Grant = {
  /** `doctor/G5/1`: role, group, place in the cell; in explanations and records. */
  readonly name: string
  readonly letters: string
  readonly relation: Relation
  /** What every state must meet, the stored one and the new one. */
  readonly match: readonly ParamDemand[]
  /** What the new state must meet besides. */
  readonly becomes: readonly ParamDemand[]
  /** An update changes no others. */
  readonly elements?: readonly string[]
  /** A new state does not bring them; an update leaves them as they are. */
  readonly without: readonly string[]
  readonly view?: View
  readonly obligation?: GrantObligation
}

export type ClearanceLevel = { readonly max: Confidentiality; readonly allowed: readonly string[] }

/** Up to which labels someone sees: anyone's data, that of patients in care, one's own, that of patients with an active break-glass. */
export type Clearance = {
  readonly anywhere: readonly ClearanceLevel[]
  /** Only by care relations that the user did not write himself. */
  readonly inCare: readonly ClearanceLevel[]
  readonly self: readonly ClearanceLevel[]
  readonly emergency: readonly ClearanceLevel[]
}

export type Role = {
  readonly name: string
  readonly home?: Exclude<Relation, 'home' | 'O'>
  /** Document types of its unit until the assignment says otherwise. */
  readonly documents: readonly string[]
  readonly clearance: Clearance
  readonly grants: ReadonlyMap<string, readonly Grant[]>
}

export type Permission = {
  readonly name: string
  /** Roles and duties that hold it from the start. */
  readonly of: readonly string[]
  /** Who approves: another holder, or the duty named. */
  readonly second?: string
  /** Not for whoever is this to the case in hand. */
  readonly except?: string
  readonly grants: ReadonlyMap<string, readonly Grant[]>
}

/** The roles of this installation, read and checked. */
export type RoleTable = {
  readonly version: string
  /** Resource type -> `G1` to `G22`. */
  readonly groupOf: ReadonlyMap<string, string>
  /** Types that can be about a patient; of all others nothing is. */
  readonly aboutPatients: ReadonlySet<string>
  /** Types whose instances belong to nobody: relations do not bind them. */
  readonly unbound: ReadonlySet<string>
  readonly views: ReadonlyMap<string, View>
  readonly roles: ReadonlyMap<string, Role>
  readonly duties: ReadonlyMap<string, { readonly excludes: readonly string[] }>
  readonly permissions: ReadonlyMap<string, Permission>
  /** The grants of a client, from its registration. Fails with what is wrong with it. */
  readonly compile: CompileClause
}

/** Reads one clause for the types of a group (or all that it names). */
export type CompileClause = (clause: string, options: { readonly name: string; readonly within?: readonly string[] }) => CompiledClause

export type CompiledClause =
  | { readonly ok: true; readonly grants: ReadonlyMap<string, Grant> }
  | { readonly ok: false; readonly problem: string }

/** Groups of types that say nothing of a patient: their instances are shared by all. */
export const sharedGroups: ReadonlySet<string> = new Set(['G17', 'G18'])
