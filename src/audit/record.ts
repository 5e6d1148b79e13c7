/** What is known about one request when it ends. It becomes an AuditEvent when the audit room opens. No patient data: types, ids, codes. */
export type AuditRecord = {
  readonly requestId: string
  readonly via: string
  readonly principal: string
  readonly client?: string
  readonly account?: string
  /** Says which token it was, and opens nothing. */
  readonly token?: string
  readonly interaction: string
  readonly type?: string
  readonly id?: string
  /** Names of the grants that let it in, or of what denied it. Never told to the caller. */
  readonly rule: string
  /** What is to be said of it besides. */
  readonly marks?: readonly AuditMark[]
  readonly status: number
  readonly outcome: 'success' | 'denied' | 'failed'
  readonly ms: number
  readonly touched: readonly { readonly type: string; readonly id: string; readonly versionId?: number }[]
}

/** It could show what a broken glass opened; it made a patient known to a house. */
export type AuditMark = 'break-glass' | 'first-link'

/** Takes the record before the answer is released. */
export type RecordAudit = (record: AuditRecord) => void
