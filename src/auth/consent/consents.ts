import type { AccessFilter, ConsentFilter } from '../../base/access-filter.ts'
import type { Resource } from '../../fhir/model/resource.ts'
import { allOf, anyOf } from '../policy/simplify.ts'
import { instanceOf } from '../relations/references.ts'
import { acrossPatients, isAboutSeveral, ofSelf } from './across-patients.ts'
import { callerOf } from './caller.ts'
import { rulesOf } from './consent-relations.ts'
import { type ConsentData, type ConsentDefault, closingRule } from './consent-rule.ts'
import { closesAnything, openByRules, type PatientRules } from './of-patient.ts'
import { isActivePrivacyConsent } from './read-consent.ts'

export type ConsentParts = {
  /** The active Consents of a patient, as they are now; `more` where the list is cut, and then nothing of that patient is open. */
  readonly activeConsents: (patient: string) => Promise<{ readonly consents: readonly Resource[]; readonly more: boolean }>
  /** The newest state of an instance that a consent names (`data` with meaning related). */
  readonly newest: (type: string, id: string) => Promise<Resource | undefined>
  /** ms */
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
   * For these patients to the letter, in words of engines and `param`; holds for states of `type` about them. Of one patient: a state that is about others too
   * must be open by the cautious rule as well. Of several: they must be all whom a state in hand is about.
   */
  of(filter: ConsentFilter, type: string, patients: readonly string[]): Promise<AccessFilter>
  /** Whether the consents of a patient close anything to this caller, of whatever type. */
  closesAnything(filter: ConsentFilter, patient: string): Promise<boolean>
  /** What is remembered of these patients is dropped: call it when a Consent was written, with the patients before and after. */
  forget(patients: readonly string[]): void
}

/** How long rules are remembered: the longest that a withdrawal can go unnoticed by another process. */
const rememberedMs = 30_000
const rememberedMax = 10_000

type Remembered = { readonly until: number; readonly rules: Promise<PatientRules> }

export const createConsents = (parts: ConsentParts): Consents => {
  const remembered = new Map<string, Remembered>()

  const remember = (patient: string): Promise<PatientRules> => {
    const now = parts.clock()
    const known = remembered.get(patient)
    if (known !== undefined && now < known.until && known.until - now <= rememberedMs) return known.rules
    const fresh: Remembered = { until: now + rememberedMs, rules: loadRules(patient, parts) }
    remembered.delete(patient)
    const [oldest] = remembered.keys()
    if (remembered.size >= rememberedMax && oldest !== undefined) remembered.delete(oldest)
    remembered.set(patient, fresh)
    // What could not be loaded is not remembered. Whoever asked is told.
    fresh.rules.catch(() => remembered.get(patient) === fresh && remembered.delete(patient))
    return fresh.rules
  }

  const across = (filter: ConsentFilter, type: string): AccessFilter => acrossPatients(filter, type, parts.byDefault)

  return {
    across,
    of: async (filter, type, patients) => {
      const caller = callerOf(filter)
      const strangers = patients.filter(patient => patient !== caller.self)
      const rules = await Promise.all(strangers.map(remember))
      const open = allOf(rules.map(one => openByRules(one, filter, type, parts.byDefault, parts.clock())))
      const [only] = patients
      const alone: AccessFilter =
        only === undefined
          ? across(filter, type)
          : patients.length > 1 || !isAboutSeveral(type)
            ? { op: 'all' }
            : anyOf([{ op: 'patient', id: only, only: true }, across(filter, type)])
      return anyOf([allOf([open, alone]), ofSelf(caller)])
    },
    closesAnything: async (filter, patient) =>
      patient !== callerOf(filter).self && closesAnything(await remember(patient), filter, parts.byDefault, parts.clock()),
    forget: patients => {
      for (const patient of patients) remembered.delete(patient)
    },
  }
}

/** At most so many instances are asked for what they refer to. */
const relatedMax = 50

const loadRules = async (patient: string, { activeConsents, newest, zone }: ConsentParts): Promise<PatientRules> => {
  const { consents, more } = await activeConsents(patient)
  const rules = consents.filter(isActivePrivacyConsent).flatMap(consent => rulesOf(consent, { zone }))
  const data = rules.flatMap(rule => rule.data.flat()).filter(({ meaning }) => meaning === 'related')
  const related = new Map<string, readonly string[]>()
  for (const one of data) {
    const name = nameOf(one)
    if (related.has(name) || related.size === relatedMax) continue
    const resource = await newest(one.type, one.id)
    related.set(name, resource === undefined ? [] : referencesIn(resource))
  }
  return { rules: more || data.length > relatedMax ? [closingRule] : rules, related: one => related.get(nameOf(one)) ?? [] }
}

const nameOf = ({ type, id }: ConsentData): string => `${type}/${id}`

/** `Type/id` of everything that an instance refers to. */
const referencesIn = (resource: Resource): readonly string[] => {
  const found = new Set<string>()
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const key = instanceOf(value)
    if (key !== undefined) found.add(`${key.type}/${key.id}`)
    for (const inner of Object.values(value)) walk(inner)
  }
  walk(resource)
  return [...found]
}
