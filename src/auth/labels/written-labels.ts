import type { Resource } from '../../fhir/model/resource.ts'
import { instanceOf, listOf } from '../relations/references.ts'
import { isRecord } from '../roles/json-shape.ts'
import { type LabelRules, labelled, type Surroundings } from './label-rules.ts'
import { joinLabels, type Labels, labelsOf, withLabels } from './labels.ts'

/**
 * What is stored, with the labels that rules want for it beside those it brings. A Bundle is labelled as the highest of its entries.
 * The very resource when it has them all. @see auth.md 12.4
 */
const withWrittenLabels = (resource: Resource, rules: LabelRules, surroundings: Surroundings = {}): Resource => {
  const ruled = labelled(resource, rules, surroundings)
  return resource.resourceType === 'Bundle' ? withLabels(ruled, entryLabels(resource)) : ruled
}

/** What `createLabelling` makes: pure, and the same for every write. */
export type Labelling = (resource: Resource) => Resource

/** The rules of this installation, as writes apply them. */
export const createLabelling =
  (rules: LabelRules): Labelling =>
  resource =>
    withWrittenLabels(resource, rules, { organizations: ownersOf(resource) })

const owning = ['managingOrganization', 'serviceProvider', 'custodian', 'organization', 'provider'] as const

/** Ids of the Organizations to which a resource says that it belongs. */
const ownersOf = (resource: Resource): readonly string[] =>
  owning.flatMap(name =>
    listOf(resource[name]).flatMap(reference => {
      const key = instanceOf(reference)
      return key?.type === 'Organization' ? [key.id] : []
    }),
  )

/** Bundles may hold Bundles; their depth is bounded by that of a body. */
const entryLabels = ({ entry }: Resource): Labels => joinLabels(resourcesOf(entry).flatMap(one => [labelsOf(one), entryLabels(one)]))

const resourcesOf = (entry: unknown): readonly Resource[] =>
  (Array.isArray(entry) ? entry : []).flatMap(one =>
    isRecord(one) && isRecord(one.resource) && typeof one.resource.resourceType === 'string' ? [one.resource as Resource] : [],
  )
