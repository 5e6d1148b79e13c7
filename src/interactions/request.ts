import type { AuditMark } from '../audit/record.ts'
import type { Anonymous, Principal as PolicyPrincipal } from '../auth/policy/principal.ts'
import type { Deadline } from '../base/deadline.ts'
import type { Issue, Outcome } from '../base/outcome.ts'
import type { Resource } from '../fhir/model/resource.ts'

/** Codes of R4's interactions, plus what R4 leaves without a code of its own. @see https://hl7.org/fhir/R4/valueset-type-restful-interaction.html */
export type InteractionCode =
  | 'read'
  | 'vread'
  | 'create'
  | 'update'
  | 'patch'
  | 'delete'
  | 'history-instance'
  | 'history-type'
  | 'history-system'
  | 'search-type'
  | 'search-system'
  | 'search-compartment'
  | 'capabilities'
  | 'batch'
  | 'transaction'
  /** Operations are named as they are called. */
  | '$break-glass'

/** One decoded `name=value`, in the order sent. */
export type Parameter = { readonly name: string; readonly value: string }

/** What someone asks of the server: over HTTP, as a batch entry, as a message or a job. Plain data; nothing here knows HTTP. */
export type InteractionRequest = {
  readonly interaction: InteractionCode
  readonly type?: string
  readonly id?: string
  readonly versionId?: string
  readonly compartment?: { readonly type: string; readonly id: string }
  /** Of the URL and, for searches by POST, of the form. Empty for interactions without parameters. */
  readonly parameters: readonly Parameter[]
  readonly conditions?: Conditions
  readonly prefer: Prefer
  readonly body?: Body
}

/** Texts of the conditional headers as sent; `conditions.ts` reads them. */
export type Conditions = {
  readonly ifMatch?: string
  readonly ifNoneMatch?: string
  readonly ifModifiedSince?: string
  readonly ifNoneExist?: string
}

export type Prefer = { readonly return?: 'minimal' | 'representation' | 'OperationOutcome'; readonly handling: 'strict' | 'lenient' }

/** `bytes` are as received (decompressed); interactions parse them, so that access is decided before the body is looked at. */
export type Body =
  /** `securityContext`: X-Security-Context as sent beside a Binary. */
  | { readonly kind: 'resource'; readonly bytes: Uint8Array; readonly securityContext?: string }
  | { readonly kind: 'parsed'; readonly resource: Resource }
  | { readonly kind: 'json-patch' | 'merge-patch'; readonly bytes: Uint8Array }
  /** Raw content of a Binary. */
  | { readonly kind: 'raw'; readonly bytes: Uint8Array; readonly contentType: string; readonly securityContext?: string }

/** Who asks, from where, and how long they wait. */
export type Context = {
  readonly principal: Principal
  /** Our own id of the request: meta.source fragment, logs, audit. */
  readonly requestId: string
  readonly deadline: Deadline
  /** Of the sentences in outcomes that stand inside a Bundle; English when absent. */
  readonly language?: 'en' | 'id'
  /** How the request came in. */
  readonly via: 'http' | 'batch' | 'internal'
  /**
   * Key under which this write happens at most once: it is taken in the same transaction, and a second write under it fails `already-done`.
   * Only the server's own sources give one (import, messages); FHIR has no idempotency key.
   */
  readonly once?: string
}

/** Whoever a token or an internal source stands for; anonymous where sign-in is off. */
export type Principal = Anonymous | PolicyPrincipal

/** What comes back. URLs are relative to [base]; http makes them absolute. */
export type Answer = {
  readonly status: number
  readonly body?: AnswerBody
  readonly versionId?: number
  /** Opaque tag of what has no version (the CapabilityStatement), without quotes: ETag. */
  readonly etag?: string
  /** Milliseconds since the epoch. */
  readonly lastModified?: number
  /** `Type/id/_history/v`: Location. */
  readonly location?: string
  /** `Type/id/_history/v`: Content-Location. */
  readonly contentLocation?: string
  /** Warnings and information beside the success; sent as an OperationOutcome when the client prefers that. */
  readonly issues?: readonly Issue[]
  /** What the audit record says besides. */
  readonly marks?: readonly AuditMark[]
  /** Type and id that were touched, for the audit record. */
  readonly touched?: readonly { readonly type: string; readonly id: string; readonly versionId?: number }[]
}

export type AnswerBody =
  /** Stored bytes or bytes assembled around them, to be sent one after the other. */
  | { readonly kind: 'json'; readonly chunks: readonly Uint8Array[] }
  /** Content of a Binary. */
  | { readonly kind: 'raw'; readonly bytes: Uint8Array; readonly contentType: string }
  /** An OperationOutcome of `issues` in the language of the client. */
  | { readonly kind: 'outcome' }

/** The one door. */
export type Perform = (request: InteractionRequest, context: Context) => Promise<Outcome<Answer>>
