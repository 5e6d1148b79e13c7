import type { CapabilityStatementRestSecurity } from '@medplum/fhirtypes'

/** Absolute URLs, the same as in the discovery document. */
export type AuthorizationEndpoints = {
  readonly authorize: string
  readonly token: string
  readonly introspect: string
  readonly manage: string
  readonly revoke: string
  /** Only while clients may register themselves. */
  readonly register?: string
}

const oauthUris = 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris'
const order = ['authorize', 'token', 'introspect', 'manage', 'revoke', 'register'] as const

/**
 * `CapabilityStatement.rest.security`: SMART on FHIR with the oauth-uris extension of STU1, which older apps read in place of the discovery
 * document.
 * @see https://hl7.org/fhir/smart-app-launch/1.0.0/conformance/index.html
 */
export const capabilitySecurity = (endpoints: AuthorizationEndpoints): CapabilityStatementRestSecurity => ({
  extension: [
    {
      url: oauthUris,
      extension: order.flatMap(url => {
        const valueUri = endpoints[url]
        return valueUri === undefined ? [] : [{ url, valueUri }]
      }),
    },
  ],
  cors: true,
  service: [
    {
      coding: [
        { system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR', display: 'SMART-on-FHIR' },
      ],
      text: 'OAuth2 using SMART-on-FHIR profile (see http://docs.smarthealthit.org)',
    },
  ],
})
