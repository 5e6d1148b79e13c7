import type { AccessFilter, ConsentFilter } from '../../base/access-filter.ts'
import type { Resource } from '../../fhir/model/resource.ts'

/**
 * What may be done without a Consent: `normal` treatment, payment and operations inside the facility, `deny` nothing, `all` everything
 * (SIMPUL_CONSENT_DEFAULT). @see auth.md 12.1
 */
export type ConsentDefault = 'normal' | 'deny' | 'all'

export type ConsentParts = {
  /** The active Consents of a patient, as they are now, at most `consentsMax`; `more` when there are more. */
  readonly activeConsents: (patient: string) => Promise<{ readonly consents: readonly Resource[]; readonly more: boolean }>
  /** The newest state of an instance that a consent names (`data` with meaning related). */
  readonly newest: (type: string, id: string) => Promise<Resource | undefined>
  readonly clock: () => number
  /** IANA name; dates without offset are read in it. */
  readonly zone: string
  readonly byDefault: ConsentDefault
}

/** The word `consent` of access filters, in words that engines know. */
export type Consents = {
  /** For questions across patients: whoever may have closed something of this type to this caller is left out whole. Nothing is looked up. */
  across(filter: ConsentFilter, type: string): AccessFilter
  /**
   * For these patients to the letter, in words of engines and `param`; holds for states of `type` about them. States that are about others too
   * must be open by the cautious rule of those. It is also how one state in hand is judged: give all its patients.
   */
  of(filter: ConsentFilter, type: string, patients: readonly string[]): Promise<AccessFilter>
  /** Whether the consents of a patient close anything to this caller, of whatever type. */
  closesAnything(filter: ConsentFilter, patient: string): Promise<boolean>
  /** What is remembered of these patients is dropped: call it when a Consent was written, with the patients before and after. */
  forget(patients: readonly string[]): void
}
