import { alternativesOf } from '../scopes/scope-param.ts'
import { type PlainScope, type ResourceScope, renderScope, type ScopeParam } from '../scopes/scope.ts'
import type { Language } from './languages.ts'
import { capital, groupName, groupOf, resourceName } from './resource-names.ts'
import { isTextKey, type Say, type TextKey } from './texts.ts'

/** A scope in words: one short sentence, one long, made from level, type or category, and letters. @see auth.md 14 */
export type ScopeWords = {
  readonly short: string
  readonly long: string
  /** It says something that only its parameters say, in their own words. */
  readonly technical: boolean
  /** Data that is specially protected is asked for by name. */
  readonly sensitive: boolean
}

type Words = { readonly say: Say; readonly language: Language }

export const scopeWords = (scope: ResourceScope, words: Words): ScopeWords => {
  const subject = subjectOf(scope, words)
  return {
    short: shortOf(scope.letters, subject.what, words.say),
    long: longOf(scope, subject.what, words.say),
    technical: subject.technical,
    sensitive: isSensitive(scope),
  }
}

type Subject = { readonly what: string; readonly technical: boolean }

/** What a scope speaks of, as it stands in the middle of a sentence. */
export const subjectOf = ({ type, params }: ResourceScope, { say, language }: Words): Subject => {
  const [only, ...more] = params
  const category = more.length === 0 && only !== undefined ? categoryKey(type, only) : undefined
  if (category !== undefined) return { what: inside(plain(say, category)), technical: false }
  const start: Subject = { what: type === '*' ? say('scope.everything') : resourceName(type, language), technical: false }
  return params.reduce((subject, param) => narrowed(subject, type, param, say), start)
}

const narrowed = ({ what, technical }: Subject, type: string, param: ScopeParam, say: Say): Subject => {
  const labels = labelKeys(param)
  if (labels !== undefined)
    return { what: say('scope.protected', { what, label: labels.map(key => plain(say, key)).join(', ') }), technical }
  const category = categoryKey(type, param)
  return {
    what: say('scope.where', { what, param: param.code, value: category === undefined ? param.value : inside(plain(say, category)) }),
    technical: true,
  }
}

/** The sentence of a category, where there is one; its system does not matter to a user, its code does. */
const categoryKey = (type: string, { code, value }: ScopeParam): TextKey | undefined => {
  const [one = '', ...more] = alternativesOf(value)
  const key = `cat.${type}.${one.slice(one.lastIndexOf('|') + 1)}`
  return code === 'category' && more.length === 0 && isTextKey(key) ? key : undefined
}

/** Sensitivities, and confidentiality above the normal. */
const labelKeys = ({ code, value }: ScopeParam): readonly TextKey[] | undefined => {
  if (code !== '_security') return undefined
  const keys = alternativesOf(value).map(one => `label.${one.slice(one.lastIndexOf('|') + 1)}`)
  return keys.every(isTextKey) ? keys : undefined
}

/** Types whose content is specially protected whatever its labels say. */
const sensitiveTypes: ReadonlySet<string> = new Set(['MolecularSequence'])

/** A parameter over labels counts also where its labels have no words here: then nobody knows what it asks for. */
const isSensitive = ({ type, params }: ResourceScope): boolean =>
  sensitiveTypes.has(type) || params.some(({ code }) => code === '_security')

const reads = (letters: string): boolean => /[rs]/.test(letters)
const writes = (letters: string): string => [...letters].filter(letter => 'cud'.includes(letter)).join('')

const shortOf = (letters: string, what: string, say: Say): string => {
  const written = writes(letters)
  const parts = [
    ...(reads(letters) ? [say('scope.see', { what })] : []),
    ...(written === 'c' ? [say('scope.add', { what })] : []),
    ...(written === 'u' ? [say('scope.alter', { what })] : []),
    ...(written === 'd' ? [say('scope.remove', { what })] : []),
    ...(written.length > 1 ? [say('scope.change', { what })] : []),
  ]
  return parts.join('; ')
}

const longOf = ({ level, letters }: ResourceScope, what: string, say: Say): string => {
  const whose = plain(say, `scope.whose.${level}`)
  const both = letters.includes('r') && letters.includes('s')
  const seen = both
    ? say('scope.longSee', { what, whose })
    : letters.includes('r')
      ? say('scope.longOpen', { what, whose })
      : say('scope.longSearch', { what, whose })
  const acts = [...writes(letters)].map(letter => plain(say, `scope.acts.${letter}` as TextKey))
  const written = say('scope.longWrite', { acts: capital(listed(acts, say('scope.and'), say('scope.lastAnd'))), what, whose })
  return [...(reads(letters) ? [seen] : []), ...(acts.length > 0 ? [written] : [])].join(' ')
}

/** `a`, `a and b`, `a, b and c`; Indonesian has a comma before the last of three. */
const listed = (words: readonly string[], and: string, lastAnd: string): string => {
  if (words.length < 3) return words.join(` ${and} `)
  return `${words.slice(0, -1).join(', ')}${lastAnd} ${words.at(-1)}`
}

/** Sentences without places. */
const plain = (say: Say, key: TextKey): string => (say as (key: TextKey) => string)(key)

const inside = (text: string): string => (/^\p{Lu}\p{Ll}/u.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text)

/** The heading under which a scope stands. */
export const groupTitle = (scope: ResourceScope, words: Words): string => {
  if (scope.type === '*') return capital(words.say('scope.everything'))
  const [only, ...more] = scope.params
  const category = more.length === 0 && only !== undefined ? categoryKey(scope.type, only) : undefined
  return category === undefined ? capital(groupName(groupOf(scope.type), words.language)) : plain(words.say, category)
}

/** Scopes that are no resources. Those that only ask which patient is open stand together. */
export const plainScopeWords = (scope: PlainScope, say: Say): Pick<ScopeWords, 'short' | 'long' | 'technical'> => {
  const { text } = scope
  if (text === 'openid' || text === 'fhirUser' || text === 'profile')
    return { short: say(`scope.${text}`), long: say(`scope.${text}Long`), technical: false }
  if (text === 'launch' || text.startsWith('launch/'))
    return { short: say('scope.launch'), long: say('scope.launchLong'), technical: false }
  return { short: say('scope.special', { text: renderScope(scope) }), long: say('scope.specialLong'), technical: true }
}
