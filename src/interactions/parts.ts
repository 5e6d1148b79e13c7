import type { RecordAudit } from '../audit/record.ts'
import type { Access, Decide } from '../auth/access.ts'
import type { OpenEmergency } from '../auth/emergencies/break-glass.ts'
import type { Labelling } from '../auth/labels/written-labels.ts'
import type { Clock } from '../base/clock.ts'
import type { Ids } from '../base/ids.ts'
import type { Limits } from '../base/limits.ts'
import type { Outcome } from '../base/outcome.ts'
import type { Definitions } from '../fhir/definitions/definitions.ts'
import type { CursorSealer } from '../search/cursor.ts'
import type { Indexer } from '../search/request.ts'
import type { Store } from '../storage/port.ts'
import type { Answer, Context, InteractionRequest, Perform } from './request.ts'

/** Everything an interaction works with; composed once. */
export type Parts = {
  readonly store: Store
  readonly definitions: Definitions
  readonly index: Indexer
  readonly cursors: CursorSealer
  readonly decide: Decide
  readonly audit: RecordAudit
  readonly clock: Clock
  readonly ids: Ids
  readonly limits: Limits
  readonly settings: Settings
  /** Reads method and URL of a bundle entry; http gives its own table, so that both doors know the same paths. */
  readonly route: RouteEntry
  /** The door itself, for entries of a batch; compose closes the circle. */
  readonly perform: Perform
  /** Labels what is written by the rules of this installation. Absent: by none. */
  readonly labelling?: Labelling
  /** Absent where sign-in is off. */
  readonly openEmergency?: OpenEmergency
  /** Told of Consents (ids) that were written: what they allowed an application ends with them, before the answer goes out. Absent where sign-in is off. */
  readonly consentsWritten?: (ids: readonly string[]) => Promise<void>
  /** Bytes of the CapabilityStatement and their hash. */
  readonly capabilities: (mode: string) => { readonly bytes: Uint8Array; readonly hash: string; readonly lastModified: number } | undefined
}

/** What an operator may choose of the protocol. @see docs/operate/configuration.md */
export type Settings = {
  /** `{SIMPUL_BASE_URL}/fhir`, without a slash at the end. */
  readonly base: string
  readonly updateCreate: boolean
  readonly ifMatchRequired: boolean
  readonly deleteReferenced: 'refuse' | 'allow'
  readonly conditionalDelete: 'single' | 'multiple' | 'off'
  readonly nikAsId: boolean
  /** IANA name; dates without offset are read in it. */
  readonly zone: string
}

export type RouteEntry = (
  method: string,
  url: string,
) => Outcome<Pick<InteractionRequest, 'interaction' | 'type' | 'id' | 'versionId' | 'compartment' | 'parameters'>>

/** A request that was let in: what it may see travels with it. */
export type Call = Context & { readonly access: Extract<Access, { allow: true }> }

export type Interaction = (request: InteractionRequest, call: Call, parts: Parts) => Promise<Outcome<Answer>>
