import type { Resource } from '../../fhir/model/resource.ts'
import type { Key, Relation } from '../../storage/port.ts'

/** What is known of a write beside the resource. With nothing of it the rows are those of a rebuild. */
export type Written = {
  /** `Practitioner/17`: fhirUser of whoever writes; absent for programs. */
  readonly by?: string
  /** Rows of the version before: who put himself in stays unconfirmed whoever writes next, who was put in stays confirmed. */
  readonly before?: readonly Relation[]
  /** Instances that the resource names (`namedForRelations`), where they are known. Without it only contained ones are understood. */
  readonly resolve?: (key: Key) => Resource | undefined
  /** ms: what was over before gives no row. */
  readonly now?: number
  /** IANA name; dates without offset are read in it. */
  readonly zone?: string
}
