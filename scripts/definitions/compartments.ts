import type { GeneratedCompartments } from '../../src/fhir/definitions/generated-form.ts'
import type { CompartmentDefinition, Published } from './package.ts'

/** The five compartments of R4. The type that owns a compartment is in it by its own id (`{def}`, written `_id`; Patient says it in prose only). */
export const compartmentsOf = ({ compartments }: Published): GeneratedCompartments =>
  Object.fromEntries(
    compartments
      .map(definition => [definition.code, resourcesOf(definition)])
      .toSorted(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)),
  )

const resourcesOf = ({ code, resource }: CompartmentDefinition): Record<string, string[]> => {
  const rows = resource.flatMap(row => (row.param ? [[row.code, row.param.filter(param => param !== '{def}')] as const] : []))
  const references = new Map(rows)
  const all = [...references.keys(), code].toSorted()
  return Object.fromEntries(all.map(type => [type, [...(type === code ? ['_id'] : []), ...(references.get(type) ?? [])]]))
}
