/** Brands and styles. @see auth.md 7.7, annex A.10 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import { brandBundle, createBrands } from '../../../src/auth/smart/brands.ts'
import { createStyles } from '../../../src/auth/smart/styles.ts'
import { publicAddress, type WebHandler } from '../../../src/auth/web.ts'

const address = publicAddress('https://simpul.example')
const identifier = { system: 'https://fhir.kemkes.go.id/id/organisasi', value: '1000001' }
const brands = [
  {
    id: 'rs',
    name: 'RS Melati',
    identifier,
    website: 'https://rs.example',
    logo: 'https://rs.example/logo.png',
    address: { city: 'Bandung', country: 'ID' },
  },
  { id: 'klinik', name: 'Klinik Kenanga', identifier: { ...identifier, value: '1000002' }, website: 'https://klinik.example' },
]
const parts = { address, brands, contact: 'https://rs.example/developers', changedAt: '2026-11-21T00:00:00Z' }

const asked = async (handler: WebHandler, path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') => {
  const server = createServer((req, res) => void handler(req, res, { address: '', requestId: '' }))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, { headers, method })
  const text = await response.text()
  await new Promise(resolve => server.close(resolve))
  return { response, text }
}

describe('brands', () => {
  test('A.10 47: a collection in which each endpoint belongs to an organization, and is inside', () => {
    const bundle = brandBundle(parts)
    expect([bundle.resourceType, bundle.type, bundle.timestamp, bundle.entry?.length]).toEqual([
      'Bundle',
      'collection',
      '2026-11-21T00:00:00Z',
      3,
    ])
    const resources = (bundle.entry ?? []).flatMap(({ resource }) => resource ?? [])
    const endpoints = resources.filter(resource => resource.resourceType === 'Endpoint')
    expect(endpoints.map(endpoint => endpoint.address)).toEqual(['https://simpul.example/fhir'])
    const urls = new Set((bundle.entry ?? []).map(({ fullUrl }) => fullUrl))
    for (const organization of resources.filter(resource => resource.resourceType === 'Organization')) {
      for (const { reference } of organization.endpoint ?? []) expect(urls.has(reference)).toBe(true)
      const portal = JSON.stringify(organization.extension)
      for (const { reference = '-' } of organization.endpoint ?? []) expect(portal).toContain(reference)
    }
  })

  test('A.10 48: the identifier of the primary facility is that of one organization', () => {
    const holders = (brandBundle(parts).entry ?? []).filter(({ resource }) => JSON.stringify(resource).includes('"1000001"'))
    expect(holders).toHaveLength(1)
  })

  test('A.10 46: it is open to every origin and has a weak ETag', async () => {
    const { response, text } = await asked(createBrands(parts), '/.well-known/brands.json')
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([200, '*'])
    expect(JSON.parse(text)).toMatchObject({ resourceType: 'Bundle' })
    const tag = response.headers.get('etag') ?? ''
    expect(tag).toMatch(/^W\/"[\w-]+"$/)
    const again = await asked(createBrands(parts), '/.well-known/brands.json', { 'if-none-match': tag })
    expect([again.response.status, again.text]).toEqual([304, ''])
    for (const [method, status] of [
      ['HEAD', 200],
      ['POST', 405],
      ['DELETE', 405],
    ] as const)
      expect([method, (await asked(createBrands(parts), '/.well-known/brands.json', {}, method)).response.status]).toEqual([method, status])
  })
})

test('a style has an address for each content, and may be kept for ever', async () => {
  const [one, other] = [{ color_background: '#fff' }, { color_background: '#000' }]
  const styles = createStyles([one, other], address)
  expect(new Set(styles.urls).size).toBe(2)
  for (const [at, style] of [one, other].entries()) {
    const { response, text } = await asked(styles.handler, new URL(styles.urls[at] ?? '').pathname)
    expect([response.headers.get('content-type'), response.headers.get('access-control-allow-origin')]).toEqual([
      'application/json; charset=utf-8',
      '*',
    ])
    expect(response.headers.get('cache-control')).toContain('immutable')
    expect(JSON.parse(text)).toEqual(style)
  }
  expect((await asked(styles.handler, '/smart/styles/nothing.json')).response.status).toBe(404)
})
