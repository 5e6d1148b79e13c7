import type { Coding } from '@medplum/fhirtypes'
import { type Confidentiality, confidentialityLevels } from '../../base/access-filter.ts'
import type { Resource } from '../../fhir/model/resource.ts'

/** @see https://terminology.hl7.org/CodeSystem-v3-Confidentiality.html */
const confidentialitySystem = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality'
/** Sensitivities are policies of v3-ActCode. */
const sensitivitySystem = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'

/** What access asks of a resource's security labels. */
export type Labels = { readonly confidentiality: Confidentiality; readonly sensitivities: readonly string[] }

/** Codes of v3-Confidentiality that say what the matter is, not how secret it is; retired, and still sent. */
const byMatter: ReadonlySet<string> = new Set(['ETH', 'HIV', 'PSY', 'SDV'])

/**
 * The labels of a resource: its highest confidentiality, N without one, and its sensitivities. A code of the confidentiality system that is
 * not known counts as V, every code of v3-ActCode as a sensitivity: what is not understood is not shown.
 */
export const labelsOf = (resource: Pick<Resource, 'meta'>): Labels => {
  const security: unknown = resource.meta?.security
  const codings: readonly unknown[] = Array.isArray(security) ? security : []
  const levels: Confidentiality[] = []
  const sensitivities = new Set<string>()
  for (const coding of codings) {
    const { system, code } = (typeof coding === 'object' && coding !== null ? coding : {}) as Partial<Coding>
    if (typeof code !== 'string') continue
    if (system === sensitivitySystem || (system === confidentialitySystem && byMatter.has(code))) sensitivities.add(code)
    else if (system === confidentialitySystem) levels.push(isConfidentiality(code) ? code : 'V')
  }
  return { confidentiality: highest(levels), sensitivities: [...sensitivities].sort() }
}

const isConfidentiality = (code: string): code is Confidentiality => Object.hasOwn(confidentialityLevels, code)

const highest = (levels: readonly Confidentiality[]): Confidentiality =>
  levels.length === 0 ? 'N' : levels.reduce((a, b) => (confidentialityLevels[b] > confidentialityLevels[a] ? b : a))

/** The labels of what holds all of these: of a Bundle, of a page. */
export const joinLabels = (all: readonly Labels[]): Labels => ({
  confidentiality: highest(all.map(({ confidentiality }) => confidentiality)),
  sensitivities: [...new Set(all.flatMap(({ sensitivities }) => sensitivities))].sort(),
})

/** Whether a change opens what was closed: down from R or V, or without one of its sensitivities. Anybody may raise, few may lower. */
export const lowersLabels = (before: Labels, after: Labels): boolean => {
  const [had, has] = [confidentialityLevels[before.confidentiality], confidentialityLevels[after.confidentiality]]
  return (had >= confidentialityLevels.R && has < had) || before.sensitivities.some(code => !after.sensitivities.includes(code))
}

/** The resource with at least these labels; the very resource when it has them. One confidentiality stays, the highest. */
export const withLabels = (resource: Resource, wanted: Labels): Resource => {
  const present = labelsOf(resource)
  const raised = confidentialityLevels[wanted.confidentiality] > confidentialityLevels[present.confidentiality]
  const missing = wanted.sensitivities.filter(code => !present.sensitivities.includes(code))
  if (!raised && missing.length === 0) return resource
  const kept = (resource.meta?.security ?? []).filter(
    ({ system, code }) => !raised || system !== confidentialitySystem || byMatter.has(code ?? ''),
  )
  const security: Coding[] = [
    ...kept,
    ...(raised ? [{ system: confidentialitySystem, code: wanted.confidentiality }] : []),
    ...missing.map(code => ({ system: sensitivitySystem, code })),
  ]
  return { ...resource, meta: { ...resource.meta, security } }
}
