import { commonLetters, hasLetters } from '../letters.ts'
import { keyOf, namesType, type PlainScope, type ResourceScope, renderScope, type ScopeParam, type SmartScope, scopesMax } from './scope.ts'

/**
 * What both lists allow, in the order and spelling of `asked`: never wider than either. A wildcard becomes the types that the other side
 * names, conditions of both sides hold together. More than 200 results are cut, which narrows too.
 */
export const intersectScopes = (asked: readonly SmartScope[], allowed: readonly SmartScope[]): readonly SmartScope[] => {
  const plain = new Set(allowed.flatMap(scope => (scope.kind === 'plain' ? scope.text : [])))
  const resources = allowed.filter(scope => scope.kind === 'resource')
  const found = new Map<string, SmartScope>()
  for (const scope of asked) {
    if (found.size >= scopesMax) break
    const met = scope.kind === 'resource' ? commonParts(scope, resources) : plain.has(scope.text) ? [scope] : []
    for (const one of met) found.set(renderScope(one), one)
  }
  return [...found.values()].slice(0, scopesMax)
}

/** What either list allows, each scope once. */
export const uniteScopes = (...lists: readonly (readonly SmartScope[])[]): readonly SmartScope[] => [
  ...new Map(lists.flat().map(scope => [renderScope(scope), scope])).values(),
]

/** What two scopes allow alike, spelled as `a` where it can be. */
const meet = (a: ResourceScope, b: ResourceScope): ResourceScope | undefined => {
  if (a.level !== b.level || (!namesType(a, b.type) && !namesType(b, a.type))) return undefined
  const letters = commonLetters(a.letters, b.letters)
  if (letters === '') return undefined
  return { ...a, type: a.type === '*' ? b.type : a.type, letters, params: joined(a.params, b.params) }
}

const joined = (a: readonly ScopeParam[], b: readonly ScopeParam[]): readonly ScopeParam[] => {
  if (b.length === 0) return a
  const keys = new Set(a.map(keyOf))
  return [...a, ...b.filter(param => !keys.has(keyOf(param)))]
}

/** What of one scope the others allow; the scope itself when one of them allows all of it. */
const commonParts = (scope: ResourceScope, others: readonly ResourceScope[]): readonly ResourceScope[] =>
  others.some(other => includes(other, scope)) ? [scope] : widest(others.flatMap(other => meet(scope, other) ?? []))

/** Without those that another one of them includes. */
const widest = (scopes: readonly ResourceScope[]): readonly ResourceScope[] => {
  if (scopes.length < 2) return scopes
  const distinct = [...new Map(scopes.map(scope => [renderScope(scope), scope])).values()]
  return distinct.filter(
    (scope, at) => !distinct.some((other, beside) => beside !== at && includes(other, scope) && (!includes(scope, other) || beside < at)),
  )
}

/** Whether everything that `inner` allows, `outer` allows. */
const includes = (outer: ResourceScope, inner: ResourceScope): boolean =>
  outer.level === inner.level &&
  (outer.type === inner.type || namesType(outer, inner.type)) &&
  hasLetters(outer.letters, inner.letters) &&
  isSubset(outer.params, inner.params)

/** Lists of a few conditions each. */
const isSubset = (part: readonly ScopeParam[], whole: readonly ScopeParam[]): boolean =>
  part.every(({ code, value }) => whole.some(other => other.code === code && other.value === value))

/** Whether everything asked was granted before: a refresh may narrow, never widen. */
export const isWithin = (asked: readonly SmartScope[], granted: readonly SmartScope[]): boolean =>
  asked.every(scope =>
    granted.some(other => (scope.kind === 'plain' ? isSamePlain(scope, other) : other.kind === 'resource' && includes(other, scope))),
  )

const isSamePlain = (a: PlainScope, b: SmartScope): boolean => b.kind === 'plain' && a.text === b.text

/** Letters that someone may ever use of a type; `*` asks for all types together. */
export type LettersOf = (type: string) => string

/**
 * The scopes without letters that the user's roles can never use. A wildcard stays one: what it covers is decided anew at each request, by the
 * roles of that moment.
 */
export const narrowToLetters = (scopes: readonly SmartScope[], lettersOf: LettersOf): readonly SmartScope[] =>
  scopes.flatMap((scope): readonly SmartScope[] => {
    if (scope.kind === 'plain') return [scope]
    const letters = commonLetters(scope.letters, lettersOf(scope.type))
    return letters === '' ? [] : [{ ...scope, letters }]
  })

/** granted = requested ∩ what the client may have ∩ what the roles can ever use ∩ what the user ticked. */
export const grantScopes = (request: {
  readonly asked: readonly SmartScope[]
  readonly client: readonly SmartScope[]
  /** Absent for clients on their own: they have grants, not roles. */
  readonly roles?: LettersOf
  /** Absent where no consent is asked. */
  readonly ticked?: readonly SmartScope[]
}): readonly SmartScope[] => {
  const { asked, client, roles, ticked } = request
  const allowed = intersectScopes(asked, client)
  const usable = roles ? narrowToLetters(allowed, roles) : allowed
  return ticked ? intersectScopes(usable, ticked) : usable
}
