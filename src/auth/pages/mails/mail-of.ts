import { filled } from '../../../base/places.ts'
import type { Fact } from '../../facts.ts'
import type { Language } from '../languages.ts'
import { dateAndTime } from '../shown.ts'
import { type MailKind, mailTexts } from './mail-texts.ts'

/** A mail as it is written: plain text. */
export type MailText = { readonly subject: string; readonly text: string }

export type MailAbout = {
  readonly facility: string
  /** In which times are shown. */
  readonly zone: string
  /** `SIMPUL_BASE_URL` */
  readonly address: string
  /** ms: when it happened. */
  readonly at: number
  readonly until?: number
  /** Family of the browser: `Firefox`. */
  readonly browser?: string
  /** Of a link, in place of nothing else. */
  readonly secret?: string
  /** Of an emergency: ids of the Patient, of the emergency, and of the account that opened it. */
  readonly patient?: string
  readonly emergency?: string
  readonly by?: string
  /** How many are overdue. */
  readonly reviews?: number
  readonly notices?: number
}

/** The mail that a fact asks for; undefined for what is nobody's business but the audit's. */
export const mailKindOf = ({ what, account, reason, newDevice }: Fact): MailKind | undefined => {
  if (account === undefined) return undefined
  switch (what) {
    case 'login':
      return newDevice === true ? 'new-device' : undefined
    case 'locked':
      return 'locked'
    case 'unlocked':
      return reason === 'password-reset' ? undefined : 'unlocked'
    case 'link-sent':
      return reason === 'email' ? 'email-asked' : undefined
    case 'email-confirmed':
      return 'email-changed'
    case 'password-changed':
    case 'password-reset':
      return 'password-changed'
    case 'factor-enrolled':
    case 'factor-removed':
    case 'factor-reset':
    case 'grant-reused':
      return what
    default:
      return undefined
  }
}

/** The text of a mail in the language of its account. */
export const mailText = (kind: MailKind, language: Language, about: MailAbout): MailText => {
  const { subject, text } = mailTexts[kind]
  const { facility, zone, address, at, until, browser, secret, patient, emergency, by, reviews, notices } = about
  const values: Record<string, string> = {
    facility,
    address,
    time: dateAndTime(at, language, zone),
    until: dateAndTime(until ?? at, language, zone),
    browser: browser ?? unknownBrowser[language],
    secret: secret ?? '',
    patient: patient ?? '',
    emergency: emergency ?? '',
    by: by ?? '',
    reviews: String(reviews ?? 0),
    notices: String(notices ?? 0),
  }
  const column = language === 'id' ? 0 : 1
  return { subject: filled(subject[column], values, oneLine), text: `${filled(text[column], values, oneLine)}\n` }
}

const unknownBrowser: Readonly<Record<Language, string>> = { id: 'browser tidak dikenal', en: 'unknown browser' }

/** What stands in a mail cannot begin another line or header. */
const oneLine = (text: string): string => text.replace(/\p{C}+/gu, ' ')
