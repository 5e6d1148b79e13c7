import type { Consent } from '@medplum/fhirtypes'
import { canonicalBase } from '../../base/canonical.ts'
import type { Resource } from '../../fhir/model/resource.ts'
import type { GrantContext } from '../grants/grant-context.ts'
import { recordsOf } from '../relations/references.ts'
import type { SmartScope } from '../scopes/scope.ts'
import { clientSystem, isActivePrivacyConsent } from './read-consent.ts'

/** By which a Consent says of which grant it is the mirror. */
export const grantSystem = `${canonicalBase}/identifier/grant`

export type MirroredGrant = {
  readonly grant: Pick<GrantContext, 'id' | 'client' | 'purpose' | 'createdAt' | 'expires'> & {
    readonly patient: string
    readonly fhirUser: string
  }
  readonly scopes: readonly SmartScope[]
  /** Name of the application, as the screen showed it. */
  readonly client: string
  /** Of the wording that was shown. */
  readonly wording: string
  /** Whether specially protected data were ticked; else the permit ends at what is normal. */
  readonly sensitive: boolean
}

/**
 * What a patient allowed an application, as a Consent that the patient sees and withdraws like any other: a permit that names the client, for the types and
 * the time of the grant. Undefined where the grant opens no resources. @see auth.md 12.3
 */
export const consentOfGrant = ({ grant, scopes, client, wording, sensitive }: MirroredGrant): Consent | undefined => {
  const types = scopes.flatMap(scope => (scope.kind === 'resource' ? [scope.type] : []))
  if (types.length === 0) return undefined
  const named = types.includes('*') ? [] : [...new Set(types)].sort()
  return {
    resourceType: 'Consent',
    identifier: [{ system: grantSystem, value: grant.id }],
    status: 'active',
    scope: concept('http://terminology.hl7.org/CodeSystem/consentscope', 'patient-privacy'),
    category: [concept('http://terminology.hl7.org/CodeSystem/v3-ActCode', 'IDSCL')],
    patient: { reference: `Patient/${grant.patient}` },
    dateTime: new Date(grant.createdAt).toISOString(),
    performer: [{ reference: grant.fhirUser }],
    sourceAttachment: { title: client, creation: new Date(grant.createdAt).toISOString() },
    policy: [{ uri: wording }],
    provision: {
      type: 'permit',
      period: { end: new Date(grant.expires).toISOString() },
      actor: [
        {
          role: concept('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', 'IRCP'),
          reference: { type: 'Device', display: client, identifier: { system: clientSystem, value: grant.client } },
        },
      ],
      ...(sensitive ? {} : { securityLabel: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'N' }] }),
      ...(grant.purpose.length === 0
        ? {}
        : { purpose: grant.purpose.map(code => ({ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code })) }),
      ...(named.length === 0 || named.length > classesMax
        ? {}
        : { class: named.map(code => ({ system: 'http://hl7.org/fhir/resource-types', code })) }),
    },
  }
}

/** A consent names at most so many types; an application that has more has, for the patient, all: its scopes bound it anyway. */
const classesMax = 50

const concept = (system: string, code: string): { coding: { system: string; code: string }[] } => ({ coding: [{ system, code }] })

/** Whether the Consent still says that this grant stands. */
export const stillConsents = (consent: Resource | undefined, grant: string): boolean =>
  consent !== undefined &&
  isActivePrivacyConsent(consent) &&
  recordsOf(consent.identifier).some(({ system, value }) => system === grantSystem && value === grant)
