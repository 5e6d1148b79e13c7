import type { Outcome } from '../../../base/outcome.ts'
import type { RecordDefinition, RecordHeld, RecordWrite } from '../../../storage/port.ts'
import { linkMs, type LinkPurpose } from '../../accounts/links.ts'
import type { LinkMail } from '../../accounts/password-reset.ts'
import type { Fact } from '../../facts.ts'
import type { Ground, Origin } from '../../ground.ts'
import { userAgentFamily } from '../../sessions/session.ts'
import { mailKindOf } from './mail-of.ts'
import type { MailKind } from './mail-texts.ts'

/** A mail that is due. It names the account, and is written in full only when it is sent. */
export type Mail = {
  readonly id: string
  /** `nothing`: nobody gets it; it was written so that the work was the same. */
  readonly kind: MailKind | 'nothing'
  readonly account?: string
  /** In place of an account: whoever is told of emergencies when it is sent. */
  readonly to?: 'officers'
  /** ms: when it happened. */
  readonly at: number
  /** Ids: of the Patient, of the emergency, and of the account that opened it. */
  readonly patient?: string
  readonly emergency?: string
  readonly by?: string
  /** How many are overdue. */
  readonly reviews?: number
  readonly notices?: number
  readonly until?: number
  readonly browser?: string
  /** Of links, encrypted: JSON of `to` and `secret`. */
  readonly sealed?: string
  /** ms: not before. */
  readonly due: number
  readonly attempts: number
  readonly expires: number
}

export const mailRecords: RecordDefinition = {
  name: 'mail',
  key: 'id',
  indexes: { due: ['due'], account: ['account'] },
  expires: 'expires',
}

/** How long a notice is tried. A link is tried as long as it works. */
const noticeMs = 3 * 86_400_000

/**
 * The mails that facts ask for, for `Ground.beside`: they stand and fall with what they tell of.
 * @see auth.md 2.3, 2.4, 2.5
 */
export const mailsBeside =
  ({ ids, clock }: Pick<Ground, 'ids' | 'clock'>) =>
  (facts: readonly Fact[], origin: Origin): readonly RecordWrite[] =>
    facts.flatMap(fact => {
      const { what, patient, emergency, account } = fact
      if (what === 'glass-broken')
        return [
          mailAbout({ ids, clock }, 'emergency-opened', {
            to: 'officers',
            at: clock(),
            ...(patient === undefined ? {} : { patient }),
            ...(emergency === undefined ? {} : { emergency }),
            ...(account === undefined ? {} : { by: account }),
          }),
        ]
      const kind = mailKindOf(fact)
      if (kind === undefined || fact.account === undefined) return []
      const now = clock()
      const { userAgent } = origin
      const mail: Mail = {
        id: ids(),
        kind,
        account: fact.account,
        at: now,
        ...(fact.until === undefined ? {} : { until: fact.until }),
        ...(kind === 'new-device' && userAgent !== undefined ? { browser: userAgentFamily(userAgent) } : {}),
        due: now,
        attempts: 0,
        expires: now + noticeMs,
      }
      return [{ record: mailRecords.name, put: mail, expected: 'none' as const }]
    })

/** A notice, to be written with what it tells of. */
export const mailAbout = (
  { ids, clock }: Pick<Ground, 'ids' | 'clock'>,
  kind: MailKind,
  about: Pick<Mail, 'account' | 'to' | 'at' | 'patient' | 'emergency' | 'by' | 'reviews' | 'notices'>,
): RecordWrite => {
  const now = clock()
  const mail: Mail = { id: ids(), kind, ...about, due: now, attempts: 0, expires: now + noticeMs }
  return { record: mailRecords.name, put: mail, expected: 'none' }
}

/** A notice that no fact asks for: that an account will be disabled in 14 days. */
export const postNotice = ({ store, ids, clock }: Ground, kind: 'dormant', account: string): Promise<Outcome<RecordHeld>> => {
  const now = clock()
  const mail: Mail = { id: ids(), kind, account, at: now, due: now, attempts: 0, expires: now + noticeMs }
  return store.records<Mail>(mailRecords).put(mail, 'none')
}

export type LinkContent = Pick<LinkMail, 'to' | 'secret'>

/** Puts the mail with a link where it is sent from. Without one it writes all the same: that nobody is there does not show in the work. */
export const postLink = (ground: Ground, purpose: LinkPurpose, link: LinkMail | undefined): Promise<Outcome<RecordHeld>> => {
  const id = ground.ids()
  const now = ground.clock()
  const content: LinkContent = { to: link?.to ?? '', secret: link?.secret ?? '' }
  const mail: Mail = {
    id,
    kind: link === undefined ? 'nothing' : purpose,
    ...(link === undefined ? {} : { account: link.account }),
    at: now,
    sealed: ground.fields.encrypt(JSON.stringify(content), sealedPlace(id)),
    due: now,
    attempts: 0,
    expires: now + linkMs[purpose],
  }
  return ground.store.records<Mail>(mailRecords).put(mail, 'none')
}

export const sealedPlace = (id: string) => ({ table: mailRecords.name, column: 'sealed', row: id })
