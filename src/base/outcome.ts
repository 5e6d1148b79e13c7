import { type FailureKind, type FailureValues, failureKinds, type PlacesOf } from './failure-kinds.ts'

/**
 * Expected failures are values and cross room borders as `Outcome<T>`; `throw` is for bugs and broken infrastructure.
 * @see https://hl7.org/fhir/R4/operationoutcome.html
 */
export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure }

export type Severity = 'fatal' | 'error' | 'warning' | 'information'

/** One issue of an OperationOutcome before it has a language. `values` fill the places of the kind's sentence; they never hold patient data. */
export type Issue = {
  readonly severity: Severity
  readonly kind: FailureKind
  readonly values: FailureValues
  /** FHIRPath into the request's body: `Patient.name[0]`, `Bundle.entry[3].resource.subject`. */
  readonly expression?: readonly string[]
  /** `http.{name}` of a parameter or header. */
  readonly location?: readonly string[]
  /** `Bundle.entry.fullUrl` of the entry that the issue is about. */
  readonly fullUrl?: string
}

/** The first issue decides the status; `more` holds the others, validation's list for example. */
export type Failure = Issue & {
  readonly more?: readonly Issue[]
  /** Version of the deletion, for the ETag of a 410. */
  readonly versionId?: number
  /** Methods for `Allow` of a 405. */
  readonly allow?: readonly string[]
  readonly retryAfterSeconds?: number
  /** What `WWW-Authenticate` says of a 401 or 403 beside the realm. @see RFC 6750 3, RFC 9470 */
  readonly challenge?: Readonly<Record<string, string>>
  /** Its scheme; `Bearer` unless given. @see RFC 9449 7.1 */
  readonly challengeScheme?: 'DPoP'
}

export type At = Partial<Omit<Failure, 'kind' | 'values'>>

export const ok = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value })

/** A failed outcome of the row `kind`; the compiler asks for every place of its sentence. */
export const fail = <K extends FailureKind>(kind: K, values: PlacesOf<K>, at?: At): { readonly ok: false; readonly failure: Failure } => ({
  ok: false,
  failure: { severity: 'error', ...at, kind, values },
})

/** An issue beside a success: a warning or an information. */
export const issue = <K extends FailureKind>(
  severity: Severity,
  kind: K,
  values: PlacesOf<K>,
  at?: Pick<Issue, 'expression' | 'location'>,
): Issue => ({
  severity,
  kind,
  values,
  ...at,
})

export const statusOf = (failure: Failure): number => failureKinds[failure.kind].status
