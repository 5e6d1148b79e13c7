import type { Resource } from '../../fhir/model/resource.ts'
import type { Relation } from '../../storage/port.ts'
import type { Written } from '../relations/written.ts'

export const consentRelations = (_resource: Resource, _written: Written): readonly Relation[] => []
