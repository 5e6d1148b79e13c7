import type { Confidentiality } from '../../base/access-filter.ts'
import type { Span } from '../relations/instants.ts'

/**
 * What may be done without a Consent: `normal` treatment, payment and operations inside the facility, `deny` nothing, `all` everything
 * (SIMPUL_CONSENT_DEFAULT). @see auth.md 12.1
 */
export type ConsentDefault = 'normal' | 'deny' | 'all'

/**
 * How near a rule is to the caller and the matter; of those that fit, the lowest decides, and at one level a deny beats a permit:
 * 2 names the person or client, 3 the organization or team, 4 speaks by label, 5 by class, code, time or data, or for a purpose as an exception,
 * 6 is what the patient wants in general. (1 is break-glass, 7 the default.)
 * @see auth.md 12.2
 */
export type Level = 2 | 3 | 4 | 5 | 6

/** `deny` or `permit` under conditions. Lists are alternatives; where an exception and its root both have one, both must be met. */
export type ConsentRule = {
  readonly effect: 'permit' | 'deny'
  readonly level: Level
  /** `Practitioner/1`, `client/app-0001`: as access filters name recipients. */
  readonly actors: readonly (readonly string[])[]
  /** v3-ActReason. */
  readonly purposes: readonly (readonly string[])[]
  /** Resource types. */
  readonly classes: readonly (readonly string[])[]
  readonly labels: readonly (readonly ConsentLabel[])[]
  /** `system|code`, escaped as searches write it. */
  readonly codes: readonly (readonly string[])[]
  readonly dataPeriods: readonly DataPeriod[]
  readonly data: readonly (readonly ConsentData[])[]
  /** While the rule holds. */
  readonly span: Span
  /** Where one of these fits, the root does not. */
  readonly exceptions: readonly ConsentRule[]
}

export type ConsentLabel = { readonly confidentiality: Confidentiality } | { readonly sensitivity: string }
/** FHIR dates. */
export type DataPeriod = { readonly start?: string; readonly end?: string }
/** `related`: the instance, and what it refers to. */
export type ConsentData = { readonly meaning: 'instance' | 'related' | 'authoredby'; readonly type: string; readonly id: string }

/** What a Consent comes to that cannot be read: nothing is open, to nobody but the patient. */
export const closingRule: ConsentRule = {
  effect: 'deny',
  level: 2,
  actors: [],
  purposes: [],
  classes: [],
  labels: [],
  codes: [],
  dataPeriods: [],
  data: [],
  span: {},
  exceptions: [],
}

/** Whether the rule looks into the resource, beyond its type. */
export const looksInside = ({ labels, codes, dataPeriods, data }: ConsentRule): boolean =>
  labels.length + codes.length + dataPeriods.length + data.length > 0
