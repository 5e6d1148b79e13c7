import { type AccessFilter, type Confidentiality, confidentialityLevels } from '../../base/access-filter.ts'
import { allOf, anyOf, everything, nothing, simplified } from '../policy/simplify.ts'
import type { ConsentData, ConsentLabel, ConsentRule, DataPeriod } from './consent-rule.ts'

/**
 * What a rule asks of a resource of one type, in words of filters. Where that cannot be told, a deny fits and a permit does not.
 */
export const matterOf = (rule: ConsentRule, type: string, related: RelatedTo): AccessFilter => {
  const { effect, labels, codes, dataPeriods, data } = rule
  return allOf([
    ...labels.map(alternatives => anyOf(alternatives.map(label => labelFilter(label, effect)))),
    ...codes.map(tokens => codeFilter(tokens, type, effect)),
    ...dataPeriods.map(period => periodFilter(period, type, effect)),
    ...data.map(alternatives => anyOf(alternatives.map(one => dataFilter(one, type, related)))),
  ])
}

/** `Type/id` of what an instance refers to, where that is known. */
export type RelatedTo = (data: ConsentData) => readonly string[]

export const not = (filter: AccessFilter): AccessFilter => simplified({ op: 'not', of: filter })

const confidentialitySystem = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality'
const sensitivitySystem = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'

/**
 * A permit up to a level is for what is labelled so or lower, a deny for what is labelled so or higher: who closes what is restricted means what is very
 * restricted too. Sensitivities count in both code systems in which they are written.
 */
const labelFilter = (label: ConsentLabel, effect: ConsentRule['effect']): AccessFilter => {
  if ('sensitivity' in label) {
    const values = [`${sensitivitySystem}|${label.sensitivity}`, `${confidentialitySystem}|${label.sensitivity}`]
    return { op: 'param', code: '_security', values }
  }
  const level = confidentialityLevels[label.confidentiality]
  const labelled = (fits: (of: number) => boolean): AccessFilter => {
    const values = levels.filter(code => fits(confidentialityLevels[code])).map(code => `${confidentialitySystem}|${code}`)
    return values.length === 0 ? nothing : { op: 'param', code: '_security', values }
  }
  const normal = confidentialityLevels.N
  const unlabelled = not(labelled(() => true))
  if (effect === 'deny') return anyOf([labelled(of => of >= level), level <= normal ? unlabelled : nothing])
  return allOf([not(labelled(of => of > level)), level >= normal ? everything : labelled(() => true)])
}

const levels = Object.keys(confidentialityLevels) as readonly Confidentiality[]

/** Parameters by which a type says what it is about; `hides`: the content can say more than they tell. */
type CodeParams = { readonly permit: readonly string[]; readonly deny: readonly string[]; readonly hides?: true }

const code: CodeParams = { permit: ['code'], deny: ['code'] }
const kind: CodeParams = { permit: ['type'], deny: ['type'] }
const hidden: CodeParams = { permit: [], deny: [], hides: true }
const hiddenKind: CodeParams = { permit: ['type'], deny: [], hides: true }
const hiddenCode: CodeParams = { permit: ['code'], deny: [], hides: true }

/** Medications may stand in a resource of their own, documents in their attachments. */
export const codeParams: Readonly<Record<string, CodeParams>> = {
  AdverseEvent: { permit: ['event'], deny: ['event'] },
  AllergyIntolerance: code,
  Binary: hidden,
  Bundle: hidden,
  ChargeItem: code,
  ClinicalImpression: code,
  Composition: hiddenKind,
  Condition: code,
  DetectedIssue: code,
  DeviceRequest: code,
  DiagnosticReport: code,
  DocumentManifest: hiddenKind,
  DocumentReference: hiddenKind,
  Encounter: { permit: ['type'], deny: ['type', 'reason-code'] },
  FamilyMemberHistory: code,
  Immunization: { permit: ['vaccine-code'], deny: ['vaccine-code'] },
  List: code,
  Media: hiddenKind,
  MedicationAdministration: hiddenCode,
  MedicationDispense: hiddenCode,
  MedicationRequest: hiddenCode,
  MedicationStatement: hiddenCode,
  Observation: { permit: ['code'], deny: ['combo-code'] },
  Procedure: { permit: ['code'], deny: ['code', 'reason-code'] },
  QuestionnaireResponse: hidden,
  ServiceRequest: code,
  Specimen: kind,
}

const codeFilter = (tokens: readonly string[], type: string, effect: ConsentRule['effect']): AccessFilter => {
  const params = codeParams[type]
  if (params === undefined) return nothing
  if (effect === 'deny' && params.hides) return everything
  return anyOf(params[effect].map(param => ({ op: 'param', code: param, values: tokens })))
}

/** The parameter that says when the matter was. */
export const dateParams: Readonly<Record<string, string>> = {
  AdverseEvent: 'date',
  AllergyIntolerance: 'date',
  Appointment: 'date',
  CarePlan: 'date',
  CareTeam: 'date',
  ChargeItem: 'occurrence',
  Claim: 'created',
  ClinicalImpression: 'date',
  Communication: 'sent',
  Composition: 'date',
  Condition: 'recorded-date',
  Consent: 'date',
  DiagnosticReport: 'date',
  DocumentManifest: 'created',
  DocumentReference: 'date',
  Encounter: 'date',
  EpisodeOfCare: 'date',
  ExplanationOfBenefit: 'created',
  FamilyMemberHistory: 'date',
  Flag: 'date',
  Goal: 'start-date',
  ImagingStudy: 'started',
  Immunization: 'date',
  Invoice: 'date',
  List: 'date',
  Media: 'created',
  MedicationAdministration: 'effective-time',
  MedicationDispense: 'whenhandedover',
  MedicationRequest: 'authoredon',
  MedicationStatement: 'effective',
  NutritionOrder: 'datetime',
  Observation: 'date',
  Procedure: 'date',
  QuestionnaireResponse: 'authored',
  RiskAssessment: 'date',
  ServiceRequest: 'authored',
  Specimen: 'collected',
  SupplyRequest: 'date',
  Task: 'authored-on',
  VisionPrescription: 'datewritten',
}

/** A deny is for what is not known to lie wholly outside, a permit for what is known to lie wholly inside. */
const periodFilter = ({ start, end }: DataPeriod, type: string, effect: ConsentRule['effect']): AccessFilter => {
  const param = Object.hasOwn(dateParams, type) ? dateParams[type] : undefined
  if (param === undefined) return effect === 'deny' ? everything : nothing
  const dated = (prefix: string, date: string | undefined): readonly AccessFilter[] =>
    date === undefined ? [] : [{ op: 'param', code: param, values: [`${prefix}${date}`] }]
  if (effect === 'deny') return not(anyOf([...dated('eb', start), ...dated('sa', end)]))
  const outside = anyOf([...dated('lt', start), ...dated('gt', end)])
  return allOf([...dated('ge', start), ...dated('le', end), not(outside)])
}

const dataFilter = (data: ConsentData, type: string, related: RelatedTo): AccessFilter => {
  if (data.meaning === 'authoredby') return { op: 'author', ref: `${data.type}/${data.id}` }
  const names = [`${data.type}/${data.id}`, ...(data.meaning === 'related' ? related(data) : [])]
  const ids = names.flatMap(name => (name.startsWith(`${type}/`) ? [name.slice(type.length + 1)] : []))
  return ids.length === 0 ? nothing : { op: 'ids', ids }
}
