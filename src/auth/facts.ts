/**
 * What happened, for the audit trail, alerts and mails: codes and ids, never a secret, a name or an address. Steps that write give their facts to
 * `Ground.beside`, so that the records made of them stand and fall with the change, and tell them in their answer.
 * @see audit.md 2, 4.1
 */
export type Fact = {
  readonly what: FactKind
  /** Id of the account it is about; absent when nobody knows whose name was tried. */
  readonly account?: string
  /** Keyed hash of a name that belongs to no account. */
  readonly name?: string
  /** Who did it, where that is somebody else: id of an account, or a word for a program. */
  readonly by?: string
  readonly session?: string
  /** Id of the application it is about. */
  readonly client?: string
  /** Id of the Patient it is about. */
  readonly patient?: string
  /** Id of the emergency. */
  readonly emergency?: string
  /** Of something that waits, or waited, for a second person. */
  readonly approval?: string
  /** Of the identity provider it is about. */
  readonly provider?: string
  readonly method?: Method
  readonly reason?: string
  /** Of a success: how often it had failed before, and whether the browser was new. */
  readonly failuresBefore?: number
  readonly newDevice?: boolean
  /** ms: until when it is locked. */
  readonly until?: number
}

export type FactKind =
  | 'login'
  | 'login-failed'
  | 'login-continued'
  | 'locked'
  | 'spraying'
  | 'unlocked'
  | 'stepped-up'
  | 'step-up-failed'
  | 'logged-out'
  | 'logged-out-everywhere'
  | 'session-displaced'
  | 'session-moved'
  | 'logout-told'
  | 'logout-not-told'
  | 'disowned'
  | 'account-invited'
  | 'account-accepted'
  | 'account-disabled'
  | 'account-enabled'
  | 'account-changed'
  | 'roles-changed'
  | 'link-sent'
  | 'reset-asked'
  | 'password-reset'
  | 'password-changed'
  | 'email-confirmed'
  | 'factor-enrolled'
  | 'factor-removed'
  | 'factor-reset'
  | 'backup-codes-made'
  | 'grant-given'
  | 'grant-ended'
  | 'grant-reused'
  | 'client-registered'
  | 'client-changed'
  | 'client-activated'
  | 'client-suspended'
  | 'client-secret-made'
  | 'client-secret-removed'
  | 'registration-token-made'
  | 'registration-token-removed'
  | 'approval-asked'
  | 'approval-given'
  | 'approval-refused'
  | 'signing-key-rotated'
  | 'kek-rotated'
  | 'data-key-rotated'
  | 'glass-broken'
  | 'emergency-ended'
  | 'emergency-reviewed'
  | 'emergency-unjustified'
  | 'emergency-words-read'
  | 'patient-told'
  | 'patient-notice-postponed'
  | 'provider-added'
  | 'provider-changed'
  | 'provider-activated'
  | 'provider-suspended'
  | 'account-linked'
  | 'account-unlinked'
  | 'emergency-login'
  | 'access-explained'
  | 'access-reviewed'

/** How somebody proved who they are, as `amr` says it. @see RFC 8176; `backup` and `ext` (an outside identity provider) are ours; `mfa`: two factors at that provider */
export type Method = 'pwd' | 'otp' | 'backup' | 'ext' | 'mfa'
