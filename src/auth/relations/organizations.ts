import type { Resource } from '../../fhir/model/resource.ts'
import { instanceOf, recordsOf } from './references.ts'
import type { RoleReachParts } from './role-reach-parts.ts'

/** Deeper trees, and larger ones, are reached as far as this. */
const depthMax = 10
const organizationsMax = 500

/**
 * Ids of instances and of all that are part of them, by a parameter `partof`: Organizations, Locations. Each once, so that circles end; a level at a time.
 */
export const subtreeOf = async (
  { referring }: Pick<RoleReachParts, 'referring'>,
  type: 'Organization' | 'Location',
  roots: readonly string[],
): Promise<readonly string[]> => {
  const found = new Set(roots)
  let level = roots
  for (let depth = 0; depth < depthMax && level.length > 0 && found.size < organizationsMax; depth += 1) {
    const targets = level.map(id => `${type}/${id}`)
    const { found: parts } = await referring(type, 'partof', targets, organizationsMax - found.size)
    level = parts.flatMap(part => (typeof part.id === 'string' && isActive(part) && !found.has(part.id) ? [part.id] : []))
    for (const id of level) found.add(id)
  }
  return [...found].slice(0, organizationsMax)
}

const isActive = ({ active, status }: Resource): boolean => active !== false && status !== 'inactive'

/** Ids of the Organizations that an organization is part of, the nearest first. */
export const ancestorsOf = async ({ newest }: Pick<RoleReachParts, 'newest'>, id: string): Promise<readonly string[]> => {
  const found: string[] = []
  let at: string | undefined = id
  while (at !== undefined && found.length < depthMax) {
    const parent: string | undefined = await parentOf({ newest }, at)
    at = parent === undefined || parent === id || found.includes(parent) ? undefined : parent
    if (at !== undefined) found.push(at)
  }
  return found
}

export const parentOf = async ({ newest }: Pick<RoleReachParts, 'newest'>, id: string): Promise<string | undefined> => {
  const parent = instanceOf((await newest('Organization', id))?.partOf)
  return parent?.type === 'Organization' ? parent.id : undefined
}

const typeSystem = 'http://terminology.hl7.org/CodeSystem/organization-type'
const providers: ReadonlySet<unknown> = new Set(['prov', 'dept', 'team'])

/** Whether an Organization gives care, as far as it says what it is: payers, authorities and firms are not where staff work. */
export const givesCare = ({ type, active }: Resource): boolean => {
  const codes = recordsOf(type)
    .flatMap(({ coding }) => recordsOf(coding))
    .filter(({ system }) => system === typeSystem)
  return active !== false && (codes.length === 0 || codes.some(({ code }) => providers.has(code)))
}
