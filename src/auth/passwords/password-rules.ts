import { type Rule, rule } from '../../base/rules.ts'
import { commonWords } from './common-words.ts'
import { normalPassword } from './hashing.ts'

export const passwordLengthMin = 12
export const passwordLengthMax = 128
/** UTF-16 units; a longer text is no password, and is not even normalised. */
const rawLengthMax = 4 * passwordLengthMax
const classesMin = 3

/** Names that a password must not hold: they are the first that anybody tries. */
export type PasswordContext = {
  readonly username?: string
  readonly email?: string
  /** The name of the facility. */
  readonly hospital?: string
  /** Three of lower case, upper case, digits and others are demanded (SIMPUL_AUTH_PASSWORD_CLASSES). */
  readonly classes?: boolean
}

/** What is wrong with a new password, all of it; nothing when it may be taken. That it was used before is asked elsewhere, and costs hashes. @see auth.md 2.2 */
export const passwordFaults = (password: string, context: PasswordContext): readonly Rule[] => {
  if (password.length > rawLengthMax) return [tooLong]
  const text = normalPassword(password)
  const length = [...text].length
  // What looks alike may have become longer; only so much of it is looked at.
  if (length > passwordLengthMax) return [tooLong]
  const folded = fold(text)
  const faults: (Rule | false)[] = [
    length < passwordLengthMin && rule('password-short', { min: passwordLengthMin }),
    hasRepeat(text) && rule('password-repeat'),
    hasSequence(text) && rule('password-sequence'),
    isCommon(text) && rule('password-common'),
    holdsOne(text, folded, [context.username ?? '']) && rule('password-username'),
    holdsOne(text, folded, emailParts(context.email ?? '')) && rule('password-email'),
    holdsOne(text, folded, [product]) && rule('password-product'),
    holdsOne(text, folded, hospitalWords(context.hospital ?? '')) && rule('password-hospital'),
    context.classes === true && classesOf(text) < classesMin && rule('password-classes', { min: classesMin }),
  ]
  return faults.filter(fault => fault !== false)
}

export const usedBefore: Rule = rule('password-used-before')
const tooLong = rule('password-long', { max: passwordLengthMax })

const product = 'simpul'

/** Digits and signs that people write for letters. */
const standIns: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
}

/** Lower case without marks, and letters for what stands for them: `P@ssw0rd` becomes `password`. */
const fold = (text: string): string => plain(text).replace(/[013457@$!]/g, sign => standIns[sign] ?? sign)
const plain = (text: string): string => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()

const hasRepeat = (text: string): boolean => /(.)\1{3}/isu.test(text)

/** Four in a row of the alphabet or of the digits, five of a row of the keyboard: four of those stand in words, as in "property". */
const rows: readonly { readonly signs: string; readonly length: number }[] = [
  { signs: 'abcdefghijklmnopqrstuvwxyz', length: 4 },
  { signs: '01234567890', length: 4 },
  { signs: 'qwertyuiop', length: 5 },
  { signs: 'asdfghjkl', length: 5 },
  { signs: 'zxcvbnm', length: 5 },
]
const backwards = (text: string): string => [...text].toReversed().join('')
const runs: readonly string[] = rows.flatMap(({ signs, length }) =>
  [signs, backwards(signs)].flatMap(row => Array.from({ length: row.length - length + 1 }, (_, at) => row.slice(at, at + length))),
)
const hasSequence = (text: string): boolean => {
  const lower = text.toLowerCase()
  return runs.some(run => lower.includes(run))
}

/** Of so many common words, with digits and signs around and between them, whatever their number, a guesser thinks first. */
const commonWordsMax = 3
const longestWord = Math.max(...[...commonWords].map(word => word.length))

const isCommon = (text: string): boolean => {
  const spellings = [
    plain(text).replace(/[^\p{L}]/gu, ''),
    fold(text).replace(/[^\p{L}]/gu, ''),
    fold(trimmed(plain(text))).replace(/[^\p{L}]/gu, ''),
  ]
  return spellings.some(letters => letters.length > 0 && (wordsNeeded(letters) <= commonWordsMax || isRepeatedWord(letters)))
}

/** Without the digits and signs at both ends, which are decoration there and letters elsewhere. */
const trimmed = (text: string): string => text.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '')

/** The least number of common words that a text is made of; Infinity when it is not. Work: length of the text times that of the longest word. */
const wordsNeeded = (letters: string): number => {
  const needed = [0]
  for (let end = 1; end <= letters.length; end++) {
    let least = Infinity
    for (let start = Math.max(0, end - longestWord); start < end; start++) {
      const before = needed[start] ?? Infinity
      if (before < least && commonWords.has(letters.slice(start, end))) least = before + 1
    }
    needed.push(least)
  }
  return needed[letters.length] ?? Infinity
}

/** `xoxoxoxo` is as short as `xo`; a few letters among signs are no such thing. */
const repeatedLengthMin = 8
const repeatedWordMin = 6
const isRepeatedWord = (letters: string): boolean => {
  const word = letters.length < repeatedLengthMin ? undefined : /^(\p{L}+?)\1+$/u.exec(letters)?.[1]
  return word !== undefined && (word.length < repeatedWordMin || wordsNeeded(word) <= commonWordsMax)
}

const partLengthMin = 4
const holdsOne = (text: string, folded: string, parts: readonly string[]): boolean =>
  parts.some(part => part.length >= partLengthMin && (plain(text).includes(plain(part)) || folded.includes(fold(part))))

/** Of `siti.aminah@rs-sehat.example`: siti, aminah, sehat and the whole of both sides, but no ending such as `com`. */
const emailParts = (email: string): readonly string[] => {
  const [local = '', domain = ''] = email.split('@')
  const labels = domain.split('.').slice(0, -1)
  return [local, ...local.split(/[._+-]/), ...labels, ...labels.flatMap(label => label.split('-'))]
}

/** Words that stand in the name of any hospital tell nothing of this one. */
const genericWords = new Set(
  'rumah sakit umum daerah pusat khusus klinik pratama utama hospital clinic medical center centre general'.split(' '),
)
const hospitalWords = (name: string): readonly string[] =>
  plain(name)
    .split(/[^\p{L}\p{N}]+/u)
    .filter(word => !genericWords.has(word))

const classesOf = (text: string): number => [/\p{Ll}/u, /\p{Lu}/u, /\p{N}/u, /[^\p{L}\p{N}]/u].filter(one => one.test(text)).length
