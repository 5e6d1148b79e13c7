import { canonicalBase } from '../../base/canonical.ts'
import { type Confidentiality, confidentialityLevels } from '../../base/access-filter.ts'
import type { Resource } from '../../fhir/model/resource.ts'
import { during, spanOf } from '../relations/instants.ts'
import { containedOf, instanceOf, listOf, recordsOf } from '../relations/references.ts'
import type { Written } from '../relations/written.ts'
import { isRecord } from '../roles/json-shape.ts'
import type { ConsentData, ConsentLabel, ConsentRule, DataPeriod, Level } from './consent-rule.ts'

/** By which a Consent names an application. */
export const clientSystem = `${canonicalBase}/identifier/client`
const scopeSystem = 'http://terminology.hl7.org/CodeSystem/consentscope'
const roleSystem = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType'
const purposeSystem = 'http://terminology.hl7.org/CodeSystem/v3-ActReason'
const classSystem = 'http://hl7.org/fhir/resource-types'
const confidentialitySystem = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality'
const sensitivitySystem = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'

/** `missing`: there must be such an element; else the element says what we cannot enforce. Paths as `Consent.provision.actor[0].role`. */
export type ConsentFault = { readonly element: string; readonly missing: boolean }

export type ReadConsent =
  | { readonly ok: true; readonly rules: readonly ConsentRule[] }
  | { readonly ok: false; readonly faults: readonly ConsentFault[] }

/** Whether it is in force and about privacy: then it is enforced, or refused. */
export const isActivePrivacyConsent = ({ resourceType, status, scope }: Resource): boolean =>
  resourceType === 'Consent' &&
  status === 'active' &&
  recordsOf(scope).some(({ coding }) => recordsOf(coding).some(({ system, code }) => system === scopeSystem && code === 'patient-privacy'))

/**
 * The rules of an active privacy Consent: IHE PCF basic, intermediate and advanced. Whatever else it says that would change its meaning is a fault.
 * @see auth.md 12.2, https://profiles.ihe.net/ITI/PCF/
 */
export const readConsent = (resource: Resource, written: Pick<Written, 'zone'> = {}): ReadConsent => {
  const reading = new Reading(resource, written)
  reading.evidence()
  const rules = reading.root()
  return reading.faults.length === 0 ? { ok: true, rules } : { ok: false, faults: reading.faults }
}

/** Each list is at most so long; what is longer is no statement of a person. */
const listMax = 50
const exceptionsMax = 20
const faultsMax = 10

const provisionMembers: ReadonlySet<string> = new Set([
  'id',
  'extension',
  'type',
  'period',
  'actor',
  'securityLabel',
  'purpose',
  'class',
  'code',
  'dataPeriod',
  'data',
  'provision',
])

type Conditions = Omit<ConsentRule, 'effect' | 'level' | 'span' | 'exceptions'>

class Reading {
  readonly faults: ConsentFault[] = []
  readonly resource: Resource
  readonly written: Pick<Written, 'zone'>

  constructor(resource: Resource, written: Pick<Written, 'zone'>) {
    this.resource = resource
    this.written = written
  }

  fault(element: string, missing = false): void {
    if (this.faults.length < faultsMax) this.faults.push({ element, missing })
  }

  /** Who agreed, when, to which wording, and where that can be seen. */
  evidence(): void {
    const { resource } = this
    if (instanceOf(resource.patient)?.type !== 'Patient') this.fault('Consent.patient', resource.patient === undefined)
    if (typeof resource.dateTime !== 'string') this.fault('Consent.dateTime', true)
    if (listOf(resource.performer).length === 0) this.fault('Consent.performer', true)
    if (!isRecord(resource.sourceAttachment) && !isRecord(resource.sourceReference)) this.fault('Consent.source[x]', true)
    if (listOf(resource.policy).length === 0 && !isRecord(resource.policyRule)) this.fault('Consent.policyRule', true)
    for (const name of ['modifierExtension', 'implicitRules']) if (resource[name] !== undefined) this.fault(`Consent.${name}`)
  }

  root(): readonly ConsentRule[] {
    const at = 'Consent.provision'
    const { provision } = this.resource
    if (!isRecord(provision)) {
      this.fault(at, provision === undefined)
      return []
    }
    const roots = byNearness(this.rule(provision, at))
    const nested = this.list(provision.provision, `${at}.provision`, exceptionsMax)
    const own = nested.flatMap(({ value, at: where }) => {
      if (value.provision !== undefined) this.fault(`${where}.provision`)
      return byNearness(this.rule(value, where))
    })
    return roots.flatMap(root => {
      const exceptions = own.flatMap(exception => joined(root, exception))
      return [{ ...root, level: levelOf(root, 6), exceptions }, ...exceptions]
    })
  }

  rule(provision: Readonly<Record<string, unknown>>, at: string): ConsentRule {
    for (const name of Object.keys(provision)) {
      if (!provisionMembers.has(name) && !isBeside(name)) this.fault(`${at}.${name}`)
    }
    const { type } = provision
    if (type !== 'permit' && type !== 'deny') this.fault(`${at}.type`, type === undefined)
    const span = spanOf(provision.period, this.written)
    if (span === undefined) this.fault(`${at}.period`)
    return {
      effect: type === 'permit' ? 'permit' : 'deny',
      level: 6,
      actors: this.conditions(provision, at, 'actor', actor => this.actor(actor)),
      purposes: this.codings(provision, at, 'purpose', purposeSystem, code => (isCode(code) ? code : undefined)),
      classes: this.codings(provision, at, 'class', classSystem, code => (/^[A-Z][A-Za-z]{2,60}$/.test(code) ? code : undefined)),
      labels: this.conditions(provision, at, 'securityLabel', labelOf),
      codes: this.codes(provision, at),
      dataPeriods: this.dataPeriods(provision, at),
      data: this.conditions(provision, at, 'data', dataOf),
      span: span ?? {},
      exceptions: [],
    }
  }

  /** Items of a list with their places. */
  list(value: unknown, at: string, max = listMax): readonly { readonly value: Readonly<Record<string, unknown>>; readonly at: string }[] {
    if (value === undefined) return []
    if (!Array.isArray(value) || value.length === 0 || value.length > max) {
      this.fault(at)
      return []
    }
    return value.flatMap((item, index) => {
      if (isRecord(item)) return [{ value: item, at: `${at}[${index}]` }]
      this.fault(`${at}[${index}]`)
      return []
    })
  }

  /** One list of alternatives, or no condition. */
  conditions<T>(
    provision: Readonly<Record<string, unknown>>,
    at: string,
    name: string,
    read: (item: Readonly<Record<string, unknown>>) => T | undefined,
  ): readonly (readonly T[])[] {
    if (provision[name] === undefined) return []
    const found = this.list(provision[name], `${at}.${name}`).flatMap(({ value, at: where }) => {
      const one = read(value)
      if (one === undefined) this.fault(where)
      return one === undefined ? [] : [one]
    })
    return [found]
  }

  codings(
    provision: Readonly<Record<string, unknown>>,
    at: string,
    name: string,
    wanted: string,
    read: (code: string) => string | undefined,
  ): readonly (readonly string[])[] {
    return this.conditions(provision, at, name, ({ system, code }) =>
      system === wanted && typeof code === 'string' ? read(code) : undefined,
    )
  }

  /** A CodeableConcept stands for any of its codings. Text alone can be compared with nothing. */
  codes(provision: Readonly<Record<string, unknown>>, at: string): readonly (readonly string[])[] {
    const concepts = this.conditions(provision, at, 'code', ({ coding }) => {
      const tokens = recordsOf(coding).flatMap(({ system, code }) =>
        isText(system) && isText(code) ? [`${escaped(system)}|${escaped(code)}`] : [],
      )
      return tokens.length === 0 ? undefined : tokens
    })
    return concepts.map(alternatives => alternatives.flat())
  }

  dataPeriods(provision: Readonly<Record<string, unknown>>, at: string): readonly DataPeriod[] {
    const period = provision.dataPeriod
    if (period === undefined) return []
    const span = spanOf(period, this.written)
    if (span === undefined || !isRecord(period)) {
      this.fault(`${at}.dataPeriod`)
      return []
    }
    return [{ ...(isText(period.start) && { start: period.start }), ...(isText(period.end) && { end: period.end }) }]
  }

  /** Whom an actor names; undefined for those who cannot be told apart when they come. */
  actor({ role, reference }: Readonly<Record<string, unknown>>): string | undefined {
    const isRecipient = recordsOf(role).some(({ coding }) =>
      recordsOf(coding).some(({ system, code }) => system === roleSystem && code === 'IRCP'),
    )
    if (!isRecipient) return undefined
    const named = instanceOf(reference)
    if (named !== undefined) return actorTypes.has(named.type) ? `${named.type}/${named.id}` : undefined
    const device = containedOf(reference, this.resource)
    const identifiers = [
      ...recordsOf(recordsOf(reference)[0]?.identifier),
      ...(device?.resourceType === 'Device' ? recordsOf(device.identifier) : []),
    ]
    const client = identifiers.find(({ system }) => system === clientSystem)?.value
    return typeof client === 'string' && /^[A-Za-z0-9_-]{8,64}$/.test(client) ? `client/${client}` : undefined
  }
}

const actorTypes: ReadonlySet<string> = new Set(['Practitioner', 'PractitionerRole', 'Organization', 'CareTeam', 'RelatedPerson'])

/** Members that carry no meaning of their own: extensions of primitives. */
const isBeside = (name: string): boolean => name.startsWith('_')
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '' && value.length <= 1_000
const isCode = (code: string): boolean => /^[A-Za-z0-9_-]{1,40}$/.test(code)
/** As values of searches are written. */
const escaped = (text: string): string => text.replaceAll(/[\\,$|]/g, '\\$&')

const labelOf = ({ system, code }: Readonly<Record<string, unknown>>): ConsentLabel | undefined => {
  if (typeof code !== 'string') return undefined
  if (system === confidentialitySystem && Object.hasOwn(confidentialityLevels, code)) return { confidentiality: code as Confidentiality } // one of the levels
  return system === sensitivitySystem && isCode(code) ? { sensitivity: code } : undefined
}

const meanings: ReadonlySet<unknown> = new Set(['instance', 'related', 'authoredby'])

const dataOf = ({ meaning, reference }: Readonly<Record<string, unknown>>): ConsentData | undefined => {
  const named = instanceOf(reference)
  return named !== undefined && meanings.has(meaning) ? { meaning: meaning as ConsentData['meaning'], ...named } : undefined // one of the set
}

/** Persons and applications are nearer than organizations and teams: a rule that names both is two. */
const byNearness = (rule: ConsentRule): readonly ConsentRule[] => {
  const [names = []] = rule.actors
  const groups = names.filter(isGroup)
  if (groups.length === 0 || groups.length === names.length) return [rule]
  return [names.filter(name => !isGroup(name)), groups].map(of => ({ ...rule, actors: [of] }))
}

/** An exception holds within its root: the conditions of both. None where they are never both in force. */
const joined = (root: ConsentRule, own: ConsentRule): readonly ConsentRule[] => {
  const span = during(root.span, own.span)
  if (span === undefined) return []
  const conditions: Conditions = {
    actors: [...root.actors, ...own.actors],
    purposes: [...root.purposes, ...own.purposes],
    classes: [...root.classes, ...own.classes],
    labels: [...root.labels, ...own.labels],
    codes: [...root.codes, ...own.codes],
    dataPeriods: [...root.dataPeriods, ...own.dataPeriods],
    data: [...root.data, ...own.data],
  }
  return [{ ...own, ...conditions, span, level: levelOf(conditions, 5) }]
}

const isGroup = (name: string): boolean => name.startsWith('Organization/') || name.startsWith('CareTeam/')

const levelOf = ({ actors, labels, classes, codes, dataPeriods, data }: Conditions, otherwise: Level): Level => {
  if (actors.some(names => names.some(name => !isGroup(name)))) return 2
  if (actors.length > 0) return 3
  if (labels.length > 0) return 4
  return classes.length + codes.length + dataPeriods.length + data.length > 0 ? 5 : otherwise
}
