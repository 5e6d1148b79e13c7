import { createHash } from 'node:crypto'
import type { Bundle, Endpoint, Organization } from '@medplum/fhirtypes'
import { sendJson } from '../server/json-answer.ts'
import type { PublicAddress, WebHandler } from '../web.ts'

/** A facility as people know it. */
export type Brand = {
  /** A stable id. */
  readonly id: string
  readonly name: string
  readonly identifier: { readonly system: string; readonly value: string }
  readonly website: string
  readonly logo?: string
  readonly address?: { readonly city?: string; readonly state?: string; readonly postalCode?: string; readonly country?: string }
}

export type BrandParts = {
  readonly address: PublicAddress
  readonly brands: readonly Brand[]
  /** Where developers get help. */
  readonly contact: string
  /** ISO 8601: when what is said here last changed. */
  readonly changedAt: string
}

const profile = 'http://hl7.org/fhir/smart-app-launch/StructureDefinition'

/** The brands of this server: which facilities have their records here. @see https://hl7.org/fhir/smart-app-launch/STU2.2/brands.html */
export const brandBundle = ({ address, brands, contact, changedAt }: BrandParts): Bundle => {
  const endpoint: Endpoint = {
    resourceType: 'Endpoint',
    id: 'fhir',
    meta: { profile: [`${profile}/user-access-endpoint`] },
    extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/endpoint-fhir-version', valueCode: '4.0.1' }],
    status: 'active',
    connectionType: { system: 'http://terminology.hl7.org/CodeSystem/endpoint-connection-type', code: 'hl7-fhir-rest' },
    name: 'FHIR R4',
    contact: [{ system: 'url', value: contact }],
    payloadType: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/endpoint-payload-type', code: 'none' }] }],
    address: address.fhir,
  }
  const endpointUrl = `${address.fhir}/Endpoint/${endpoint.id}`
  return {
    resourceType: 'Bundle',
    type: 'collection',
    timestamp: changedAt,
    entry: [
      ...brands.map(brand => ({ fullUrl: `${address.fhir}/Organization/${brand.id}`, resource: organizationOf(brand, endpointUrl) })),
      { fullUrl: endpointUrl, resource: endpoint },
    ],
  }
}

const organizationOf = (brand: Brand, endpointUrl: string): Organization => ({
  resourceType: 'Organization',
  id: brand.id,
  meta: { profile: [`${profile}/user-access-brand`] },
  extension: [
    {
      url: `${profile}/organization-portal`,
      extension: [
        { url: 'portalName', valueString: brand.name },
        { url: 'portalUrl', valueUrl: brand.website },
        { url: 'portalEndpoint', valueReference: { reference: endpointUrl } },
      ],
    },
    ...(brand.logo === undefined
      ? []
      : [{ url: `${profile}/organization-brand`, extension: [{ url: 'brandLogo', valueUrl: brand.logo }] }]),
  ],
  identifier: [{ ...brand.identifier }],
  active: true,
  name: brand.name,
  telecom: [{ system: 'url', value: brand.website }],
  ...(brand.address !== undefined && { address: [{ ...brand.address }] }),
  endpoint: [{ reference: endpointUrl }],
})

/** `GET /.well-known/brands.json`. Who has it already is told so. */
export const createBrands = (parts: BrandParts): WebHandler => {
  const text = JSON.stringify(brandBundle(parts))
  const tag = `W/"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`
  const headers = {
    ETag: tag,
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Expose-Headers': 'ETag',
    'Cache-Control': 'public, max-age=300',
  }
  return async (req, res) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') return void res.writeHead(405, { Allow: 'GET, HEAD', 'Content-Length': 0 }).end()
    const known = (req.headers['if-none-match'] ?? '').split(',').map(one => one.trim())
    if (known.includes(tag)) return void res.writeHead(304, headers).end()
    sendJson(res, 200, text, { ...headers, 'Content-Type': 'application/fhir+json; charset=utf-8' })
  }
}
