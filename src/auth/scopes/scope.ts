import type { Definitions } from '../../fhir/definitions/definitions.ts'
import { areLetters } from '../letters.ts'
import { alternativesOf, isOfferedByNature, valueFits } from './scope-param.ts'

/**
 * SMART scopes, v1 and v2, read once into data. Whoever holds a `SmartScope` holds one that is well formed and speaks of what exists.
 * @see https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
 */
export type SmartScope = ResourceScope | PlainScope

export type ScopeLevel = 'patient' | 'user' | 'system'

export type ResourceScope = {
  readonly kind: 'resource'
  readonly level: ScopeLevel
  /** `*` stands for every type but AuditEvent, which must be named. */
  readonly type: string
  readonly letters: string
  /** All must match; commas inside one value are alternatives. */
  readonly params: readonly ScopeParam[]
  /** Asked for in the words of v1, and given back in them while they fit. */
  readonly v1: boolean
}

/** `text` as it was written, percent-encoding included; `value` decoded once, still with FHIR's own escapes. */
export type ScopeParam = { readonly code: string; readonly value: string; readonly text: string }

/** `openid`, `launch/patient`, `__admin`, an absolute URI: means what its text means. */
export type PlainScope = { readonly kind: 'plain'; readonly text: string }

export const scopesMax = 200
export const scopeBytesMax = 8192
const valueCharactersMax = 512

export type ScopeRules = {
  readonly definitions: Definitions
  /** Codes of granular parameters beyond those that are always offered: the client's registration. */
  readonly granularParams?: ReadonlySet<string>
}

/**
 * The scopes of a space separated list that hold water, in their order, each once; what does not parse is left out (and counted), so that
 * it never grants anything. A list over the bounds gives nothing at all.
 */
export const parseScopes = (text: string, rules: ScopeRules): { readonly scopes: readonly SmartScope[]; readonly dropped: number } => {
  if (text.length > scopeBytesMax) return { scopes: [], dropped: 1 }
  const parts = text.split(' ').filter(part => part !== '')
  if (parts.length > scopesMax) return { scopes: [], dropped: parts.length }
  const scopes = new Map<string, SmartScope>()
  let dropped = 0
  for (const part of new Set(parts)) {
    const scope = parseScope(part, rules)
    if (scope === undefined) dropped += 1
    else scopes.set(renderScope(scope), scope)
  }
  return { scopes: [...scopes.values()], dropped }
}

/** Undefined when the text is no scope, or speaks of a level, type, letter or parameter that is not there. */
export const parseScope = (text: string, rules: ScopeRules): SmartScope | undefined => {
  if (text.length > scopeBytesMax || !isScopeToken(text)) return undefined
  const slash = text.indexOf('/')
  const level = slash < 0 ? '' : text.slice(0, slash)
  if (level === 'patient' || level === 'user' || level === 'system') return resourceScope(level, text.slice(slash + 1), rules)
  return isPlainScope(text, rules.definitions) ? { kind: 'plain', text } : undefined
}

/** The characters of RFC 6749, appendix A.4. */
const isScopeToken = (text: string): boolean => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text)

const v1Words: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' }

const resourceScope = (level: ScopeLevel, rest: string, rules: ScopeRules): ResourceScope | undefined => {
  const question = rest.indexOf('?')
  const head = question < 0 ? rest : rest.slice(0, question)
  const dot = head.indexOf('.')
  if (dot < 0) return undefined
  const [type, right] = [head.slice(0, dot), head.slice(dot + 1)]
  if (type !== '*' && !rules.definitions.isResourceType(type)) return undefined
  const word = Object.hasOwn(v1Words, right) ? v1Words[right] : undefined
  if (word !== undefined) return question < 0 ? { kind: 'resource', level, type, letters: word, params: [], v1: true } : undefined
  if (!areLetters(right)) return undefined
  const params = question < 0 ? [] : scopeParams(rest.slice(question + 1), type, rules)
  return params && { kind: 'resource', level, type, letters: right, params, v1: false }
}

/** Undefined as soon as one of them cannot be kept: leaving it out would widen the scope. */
const scopeParams = (query: string, type: string, rules: ScopeRules): readonly ScopeParam[] | undefined => {
  const params = new Map<string, ScopeParam>()
  for (const text of query.split('&')) {
    const param = scopeParam(text, type, rules)
    if (param === undefined) return undefined
    params.set(keyOf(param), param)
  }
  return [...params.values()]
}

const scopeParam = (text: string, type: string, { definitions, granularParams }: ScopeRules): ScopeParam | undefined => {
  const equals = text.indexOf('=')
  if (equals <= 0) return undefined
  const code = text.slice(0, equals)
  if (!isOfferedByNature(code) && granularParams?.has(code) !== true) return undefined
  const definition = definitions.searchParameters(type === '*' ? anyType : type).get(code)
  if (definition === undefined || (type === '*' && !definition.base.includes('Resource'))) return undefined
  const value = decodedOnce(text.slice(equals + 1))
  if (value === undefined || value.length > valueCharactersMax) return undefined
  const alternatives = alternativesOf(value)
  return alternatives.every(one => valueFits(definition.type, one)) ? { code, value, text } : undefined
}

/** Has the parameters of every resource and few of its own. */
const anyType = 'Basic'

const decodedOnce = (text: string): string | undefined => {
  try {
    const value = decodeURIComponent(text)
    return /\p{Cc}/u.test(value) || !value.isWellFormed() ? undefined : value
  } catch {
    return undefined
  }
}

/** Two spellings of one condition are one condition. */
export const keyOf = ({ code, value }: ScopeParam): string => `${code}=${value}`

const words = new Set(['openid', 'fhirUser', 'profile', 'offline_access', 'online_access', 'launch'])

const isPlainScope = (text: string, definitions: Definitions): boolean => {
  if (words.has(text)) return true
  if (text.startsWith('__')) return /^__[A-Za-z][\w.-]*$/.test(text)
  if (text.startsWith('launch/')) return isLaunchContext(text.slice('launch/'.length), definitions)
  return /^[A-Za-z][A-Za-z0-9+.-]*:[^\s]+$/.test(text) && URL.canParse(text)
}

const isLaunchContext = (rest: string, definitions: Definitions): boolean => {
  const [type = '', role, ...more] = rest.split('?')
  if (more.length > 0 || type !== type.toLowerCase()) return false
  if (role !== undefined && (!role.startsWith('role=') || !URL.canParse(role.slice('role='.length)))) return false
  return lowercaseTypes(definitions).has(type)
}

const knownTypes = new WeakMap<Definitions, ReadonlySet<string>>()

const lowercaseTypes = (definitions: Definitions): ReadonlySet<string> => {
  const known = knownTypes.get(definitions) ?? new Set(definitions.resourceTypes.map(type => type.toLowerCase()))
  knownTypes.set(definitions, known)
  return known
}

/** The spelling that was asked for: words of v1 stay words while they say the same, parameters stay as they were encoded. */
export const renderScope = (scope: SmartScope): string => {
  if (scope.kind === 'plain') return scope.text
  const { level, type, letters, params } = scope
  const right = (scope.v1 && params.length === 0 && Object.keys(v1Words).find(word => v1Words[word] === letters)) || letters
  return `${level}/${type}.${right}${params.length === 0 ? '' : `?${params.map(param => param.text).join('&')}`}`
}

export const renderScopes = (scopes: readonly SmartScope[]): string => scopes.map(renderScope).join(' ')

/** Whether a scope of this type speaks of the resources of that type. */
export const namesType = (scope: ResourceScope, type: string): boolean =>
  scope.type === type || (scope.type === '*' && type !== 'AuditEvent')

/** Whether a plain scope with this text was granted. */
export const hasPlainScope = (scopes: readonly SmartScope[], text: string): boolean =>
  scopes.some(scope => scope.kind === 'plain' && scope.text === text)
