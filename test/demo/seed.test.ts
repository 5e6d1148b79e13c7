/** The demo people: the same on every machine, outside all real number ranges, and complete. */
import { describe, expect, test } from '@jest/globals'
import { demoBundles } from '../../src/demo/seed.ts'

const resources = demoBundles()
  .flatMap(bundle => bundle.entry ?? [])
  .flatMap(entry => (entry.resource ? [entry.resource] : []))
const ofType = (type: string) => resources.filter(resource => resource.resourceType === type)

describe('the demo people', () => {
  test('are the same every time', () => {
    expect(JSON.stringify(demoBundles())).toBe(JSON.stringify(demoBundles()))
  })

  test('are fifty patients with visits, diagnoses, coverage, vital signs and results', () => {
    expect(ofType('Patient')).toHaveLength(50)
    for (const [type, least] of [
      ['Encounter', 50],
      ['Condition', 50],
      ['Coverage', 30],
      ['Observation', 500],
      ['DiagnosticReport', 30],
    ] as const) {
      expect(ofType(type).length).toBeGreaterThanOrEqual(least)
    }
  })

  test('have numbers that no real person has', () => {
    const text = JSON.stringify(ofType('Patient'))
    expect(text.match(/id\/nik","value":"9999\d{12}"/g)).toHaveLength(50)
    expect(text.match(/bpjs\/noka","value":"000999\d{7}"/g)).toHaveLength(50)
    for (const [, nik] of text.matchAll(/"https:\/\/fhir\.kemkes\.go\.id\/id\/nik","value":"(\d+)"/g)) expect(nik).toMatch(/^9999\d{12}$/)
    for (const [, card] of text.matchAll(/bpjs\/noka","value":"(\d+)"/g)) expect(card).toMatch(/^000999\d{7}$/)
  })

  test('refer only to each other', () => {
    const known = new Set(resources.map(({ resourceType, id }) => `${resourceType}/${id}`))
    const references = [...JSON.stringify(resources).matchAll(/"reference":"([^"]+)"/g)].map(([, reference]) => reference)
    expect(references.filter(reference => !known.has(reference as string))).toEqual([])
    expect(known.size).toBe(resources.length)
  })
})
