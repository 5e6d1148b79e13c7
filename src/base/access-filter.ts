import { every, negate, some } from './three-valued.ts'

/** meta.security of v3-Confidentiality, from unrestricted to very restricted. */
export type Confidentiality = 'U' | 'L' | 'M' | 'N' | 'R' | 'V'

/** As numbers, in the order that the index keeps. */
export const confidentialityLevels = { U: 0, L: 1, M: 2, N: 3, R: 4, V: 5 } as const satisfies Record<Confidentiality, number>

/**
 * Which relations are asked: care (of a practitioner), facility (of an organization), queue (of a unit), group (members of a Group);
 * `closed` and `permitted` are what consents say about whoever `of` stands for.
 */
export type RelationKind = 'care' | 'facility' | 'queue' | 'group' | 'closed' | 'permitted'

/** States about a patient in relation to one of `of` now; with `confirmed` only by rows that its user did not write himself. */
export type PatientsFilter = {
  readonly op: 'patients'
  readonly from: RelationKind
  readonly of: readonly string[]
  readonly confirmed?: true
}

/** What the consents of a patient say about these recipients and purposes. In doubt: `conservative`, which any partial deny closes. */
export type ConsentFilter = {
  readonly op: 'consent'
  readonly recipients: readonly string[]
  readonly purposes: readonly string[]
  readonly mode: 'exact' | 'conservative'
  /** They ask through an application that nobody here vouches for. */
  readonly outside?: true
}

/** A plain search parameter of the type in question; values are alternatives, written as in a search, without modifier and chain. */
export type ParamFilter = { readonly op: 'param'; readonly code: string; readonly values: readonly string[] }

/**
 * What a principal may see of one type: a conjunct of every query, never a filter on a page. It lives on the ground floor because the rooms
 * that decide it and the engines that apply it do not know each other.
 * @see docs/decisions/access-in-the-query.md, auth.md 5.2
 */
export type AccessFilter =
  | { readonly op: 'all' }
  | { readonly op: 'none' }
  | { readonly op: 'and' | 'or'; readonly of: readonly AccessFilter[] }
  | { readonly op: 'not'; readonly of: AccessFilter }
  | { readonly op: 'ids'; readonly ids: readonly string[] }
  /** About this patient, among others or alone. */
  | { readonly op: 'patient'; readonly id: string; readonly only?: true }
  /** About no patient. */
  | { readonly op: 'patientless' }
  | { readonly op: 'author'; readonly ref: string }
  | { readonly op: 'owner'; readonly organizations: readonly string[] }
  | { readonly op: 'labels'; readonly max: Confidentiality; readonly allowed: readonly string[] }
  | PatientsFilter
  /** Engines are never given these two: `interactions/restrict.ts` says them in words that they know. Where one comes through, it lets nothing through. */
  | ConsentFilter
  | ParamFilter

export const seesAll: AccessFilter = { op: 'all' }

/** What a filter asks of one state in hand. What is not known is absent, and then decides nothing. */
export type AccessSubject = {
  readonly id: string
  readonly patients?: readonly string[]
  readonly organizations?: readonly string[]
  readonly authors?: readonly string[]
  /** 0 to 5; 3 without a label. */
  readonly confidentiality?: number
  readonly sensitivities?: readonly string[]
  /** Whether the state meets a search parameter. */
  meets?(condition: ParamFilter): boolean | undefined
  /** Whether one patient stands in a relation. */
  relates?(relation: PatientsFilter, patient: string): boolean | undefined
  /** Whether the consents of this state's patients leave it open. */
  consents?(consent: ConsentFilter): boolean | undefined
}

/** Whether the filter lets a state through, with the meaning that the engines give it; undefined when that cannot be told. */
export const permits = (filter: AccessFilter, subject: AccessSubject): boolean | undefined => {
  switch (filter.op) {
    case 'all':
      return true
    case 'none':
      return false
    case 'and':
      return every(filter.of, part => permits(part, subject))
    case 'or':
      return some(filter.of, part => permits(part, subject))
    case 'not':
      return negate(permits(filter.of, subject))
    case 'ids':
      return filter.ids.includes(subject.id)
    case 'patient':
      return subject.patients?.includes(filter.id) && (filter.only !== true || subject.patients.length === 1)
    case 'patientless':
      return subject.patients && subject.patients.length === 0
    case 'author':
      return subject.authors?.includes(filter.ref)
    case 'owner':
      return subject.organizations && filter.organizations.some(organization => subject.organizations?.includes(organization))
    case 'param':
      return filter.values.length === 0 ? false : subject.meets?.(filter)
    case 'patients':
      return filter.of.length === 0 ? false : subject.patients && some(subject.patients, patient => subject.relates?.(filter, patient))
    case 'labels':
      return dominates(filter, subject)
    case 'consent':
      return subject.consents?.(filter)
  }
}

/** Every sensitivity must be allowed: one in common is not enough, or an R clearance would open psychiatry to everyone. */
const dominates = (filter: Extract<AccessFilter, { op: 'labels' }>, subject: AccessSubject): boolean | undefined =>
  every<boolean | undefined>(
    [
      subject.confidentiality === undefined ? undefined : subject.confidentiality <= confidentialityLevels[filter.max],
      subject.sensitivities?.every(code => filter.allowed.includes(code)),
    ],
    part => part,
  )

/** In doubt, no. */
export const admitsState = (filter: AccessFilter, subject: AccessSubject): boolean => permits(filter, subject) === true

/** The relations and consents that a filter asks of tables: what must be looked up before a state in hand can be judged. */
export const lookupsOf = (filter: AccessFilter): readonly (PatientsFilter | ConsentFilter)[] => {
  const found: (PatientsFilter | ConsentFilter)[] = []
  collectLookups(filter, found)
  return found
}

const collectLookups = (filter: AccessFilter, found: (PatientsFilter | ConsentFilter)[]): void => {
  if (filter.op === 'and' || filter.op === 'or') for (const part of filter.of) collectLookups(part, found)
  else if (filter.op === 'not') collectLookups(filter.of, found)
  else if (filter.op === 'patients' || filter.op === 'consent') found.push(filter)
}
