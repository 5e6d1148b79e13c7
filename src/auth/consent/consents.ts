import type { AccessFilter, ConsentFilter } from '../../base/access-filter.ts'
import type { Resource } from '../../fhir/model/resource.ts'
import { allOf, anyOf, nothing } from '../policy/simplify.ts'
import { instanceOf, recordsOf } from '../relations/references.ts'
import { createRemembered } from '../relations/remembered.ts'
import { acrossPatients, isAboutSeveral, ofSelf } from './across-patients.ts'
import { callerOf } from './caller.ts'
import { rulesOf } from './consent-relations.ts'
import { type ConsentData, type ConsentDefault, type ConsentRule, closingRule } from './consent-rule.ts'
import { not } from './matter.ts'
import { closedToOwnClients, closesAnything, openByRules, type PatientRules } from './of-patient.ts'
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
   * must be open by the cautious rule as well. Of several: they must be all whom a state in hand is about. Answers without waiting where they are known to
   * have said nothing.
   */
  of(filter: ConsentFilter, type: string, patients: readonly string[]): AccessFilter | Promise<AccessFilter>
  /** Whether the consents of a patient close anything to this caller, of whatever type. */
  closesAnything(filter: ConsentFilter, patient: string): Promise<boolean>
  /** What is remembered of these patients is dropped: call it when a Consent was written, with the patients before and after. */
  forget(patients: readonly string[]): void
}

/** How long rules are remembered: the longest that a withdrawal can go unnoticed by another process. */
const rememberedMs = 30_000
const rememberedMax = 10_000

export const createConsents = (parts: ConsentParts): Consents => {
  const remembered = createRemembered<PatientRules>(parts.clock, rememberedMs, rememberedMax)
  const remember = (patient: string): Promise<PatientRules> => remembered.of(patient, () => loadRules(patient, parts))
  const across = (filter: ConsentFilter, type: string): AccessFilter => acrossPatients(filter, type, parts.byDefault)

  const silence = silenceOf(parts.byDefault)
  const areSilent = (filter: ConsentFilter, type: string, patients: readonly string[]): boolean =>
    patients.length > 0 &&
    (patients.length > 1 || !isAboutSeveral(type)) &&
    patients.every(patient => remembered.known(patient)?.rules.length === 0 && !filter.recipients.includes(`Patient/${patient}`))
  const toTheLetter = async (filter: ConsentFilter, type: string, patients: readonly string[]): Promise<AccessFilter> => {
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
    const byOwnClient = caller.self !== undefined && caller.clients.length > 0 && patients.includes(caller.self)
    const closed = byOwnClient ? closedToOwnClients(await remember(caller.self as string), filter, type, parts.clock()) : nothing
    return anyOf([allOf([open, alone, not(closed)]), allOf([ofSelf(caller), not(closed)])])
  }

  return {
    across,
    of: (filter, type, patients) => (areSilent(filter, type, patients) ? silence(filter, type) : toTheLetter(filter, type, patients)),
    closesAnything: async (filter, patient) => closesAnything(await remember(patient), filter, patient, parts.byDefault, parts.clock()),
    forget: patients => {
      for (const patient of patients) remembered.forget(patient)
    },
  }
}

const noRules: PatientRules = { rules: [], related: () => [] }

/** What `of` comes to where none of the patients has said anything, and none of them asks: it hangs on no patient and no moment, so it is found out once. */
const silenceOf = (byDefault: ConsentDefault): ((filter: ConsentFilter, type: string) => AccessFilter) => {
  const found = new WeakMap<ConsentFilter, Map<string, AccessFilter>>()
  return (filter, type) => {
    const byType = found.get(filter) ?? new Map<string, AccessFilter>()
    const known = byType.get(type)
    if (known !== undefined) return known
    const words = anyOf([openByRules(noRules, filter, type, byDefault, 0), ofSelf(callerOf(filter))])
    found.set(filter, byType.set(type, words))
    return words
  }
}

/** At most so many instances that consents name are looked up: data, and teams. */
const namedMax = 50

const loadRules = async (patient: string, { activeConsents, newest, zone }: ConsentParts): Promise<PatientRules> => {
  const { consents, more } = await activeConsents(patient)
  const rules = consents.filter(isActivePrivacyConsent).flatMap(consent => rulesOf(consent, { zone }))
  const teams = new Set(rules.flatMap(({ actors }) => actors.flat()).filter(name => name.startsWith('CareTeam/')))
  const related = new Set(rules.flatMap(({ data }) => data.flat()).flatMap(one => (one.meaning === 'related' ? [nameOf(one)] : [])))
  const named = [...teams, ...related]
  const found = new Map<string, Resource>()
  for (const name of named.slice(0, namedMax)) {
    const [type = '', id = ''] = name.split('/')
    const resource = await newest(type, id)
    if (resource !== undefined) found.set(name, resource)
  }
  const unknown = more || named.length > namedMax
  return {
    rules: unknown ? [closingRule] : rules.map(rule => withMembers(rule, found)),
    related: one => referencesIn(found.get(nameOf(one))),
  }
}

/** A rule for a team is one for its members, as they are now. */
const withMembers = (rule: ConsentRule, found: ReadonlyMap<string, Resource>): ConsentRule => ({
  ...rule,
  actors: rule.actors.map(names => names.flatMap(name => [name, ...membersOf(found.get(name))])),
  exceptions: rule.exceptions.map(one => withMembers(one, found)),
})

const membersOf = (team: Resource | undefined): readonly string[] => {
  if (team?.resourceType !== 'CareTeam' || (team.status !== undefined && team.status !== 'active')) return []
  return recordsOf(team.participant).flatMap(({ member }) => {
    const key = instanceOf(member)
    return key === undefined ? [] : [`${key.type}/${key.id}`]
  })
}

const nameOf = ({ type, id }: ConsentData): string => `${type}/${id}`

/** `Type/id` of everything that an instance refers to. */
const referencesIn = (resource: Resource | undefined): readonly string[] => {
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
