import type { GeneratedCompartments } from '../../src/fhir/definitions/generated-form.ts'
import type { CompartmentDefinition, Published } from './package.ts'

/** The five compartments of R4. The type that owns a compartment is in it by its own id (`{def}`, written `_id`). */
export const compartmentsOf = ({ compartments }: Published): GeneratedCompartments =>
  Object.fromEntries(
    compartments
      .map(definition => [definition.code, resourcesOf(definition)])
      .toSorted(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)),
  )

const resourcesOf = ({ code, resource }: CompartmentDefinition): Record<string, string[]> => {
  const rows = resource.flatMap(row =>
    row.param ? [[row.code, row.param.map(param => (param === '{def}' ? '_id' : param))] as const] : [],
  )
  return Object.fromEntries(
    [...rows, ...(rows.some(([type]) => type === code) ? [] : [[code, ['_id']] as const])].toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
}
