import { commonLetters, letterOrder } from '../letters.ts'
import { type PlainScope, type ResourceScope, renderScope, type SmartScope } from '../scopes/scope.ts'
import type { Language } from './languages.ts'
import { capital, groupName, groupOf, typesOfGroup } from './resource-names.ts'
import { groupTitle, plainScopeWords, scopeWords } from './scope-words.ts'
import type { Say } from './texts.ts'

/**
 * What an application asks for, as groups that a user may tick: each box stands for scopes equal to or narrower than one that was asked for, so that
 * nothing that comes back can be wider. Hidden or required boxes there are none. @see auth.md 7.2, 14
 */
export type ConsentBox = {
  /** Name of the field and id: letters and digits. */
  readonly id: string
  readonly short: string
  readonly long: string
  readonly technical: boolean
  readonly sensitive: boolean
  /** Ticked when the page first comes. */
  readonly ticked: boolean
  /** What it allows, each with the scope that was asked for, of which it is the whole or a part. */
  readonly allows: readonly { readonly scope: SmartScope; readonly asked: SmartScope }[]
  /** Of a kind that may be chosen in place of a wildcard: the box of the wildcard, beside which it says nothing. */
  readonly insteadOf?: string
}

export type ConsentGroup = {
  readonly title: string
  readonly boxes: readonly ConsentBox[]
  /** Of a wildcard: what may be chosen in its place. */
  readonly instead?: readonly ConsentBox[]
}

export type ConsentChoices = {
  readonly data: readonly ConsentGroup[]
  readonly identity: readonly ConsentBox[]
  /** Access beyond the session. */
  readonly offline?: ConsentBox
  readonly online?: ConsentBox
  readonly special: readonly ConsentBox[]
}

export type ConsentWords = { readonly say: Say; readonly language: Language; readonly offlineUntil?: string }

export const consentChoices = (asked: readonly SmartScope[], words: ConsentWords): ConsentChoices => {
  const numbered = counter()
  const resources = asked.filter(scope => scope.kind === 'resource')
  const plain = asked.filter(scope => scope.kind === 'plain')
  const context = plain.filter(({ text }) => text === 'launch' || text.startsWith('launch/'))
  const identity = plain.filter(({ text }) => identityScopes.has(text))
  const special = plain.filter(
    one => !context.includes(one) && !identity.includes(one) && one.text !== 'offline_access' && one.text !== 'online_access',
  )
  const offline = plain.find(({ text }) => text === 'offline_access')
  const online = plain.find(({ text }) => text === 'online_access')
  return {
    data: dataGroups(resources, words, numbered),
    identity: [
      ...identity.map(one => plainBox([one], words, numbered())),
      ...(context.length === 0 ? [] : [plainBox(context, words, numbered())]),
    ],
    special: special.map(one => plainBox([one], words, numbered())),
    ...(offline === undefined ? {} : { offline: timeBox(offline, words, numbered()) }),
    ...(online === undefined ? {} : { online: timeBox(online, words, numbered()) }),
  }
}

const identityScopes: ReadonlySet<string> = new Set(['openid', 'fhirUser', 'profile'])

/** All boxes, in the order of the page. */
export const boxesOf = ({ data, identity, special, offline, online }: ConsentChoices): readonly ConsentBox[] => [
  ...data.flatMap(({ boxes, instead = [] }) => [...boxes, ...instead]),
  ...identity,
  ...special,
  ...(offline === undefined ? [] : [offline]),
  ...(online === undefined ? [] : [online]),
]

/**
 * The scopes of the boxes that came back ticked. A name that is no box of this request allows nothing. What was asked for as one scope and is ticked
 * as a whole comes back as one, in its own words.
 */
export const tickedScopes = (choices: ConsentChoices, names: ReadonlySet<string>): readonly string[] => {
  const ticked = boxesOf(choices).filter(({ id, insteadOf }) => names.has(id) && (insteadOf === undefined || !names.has(insteadOf)))
  const merged = new Map<string, SmartScope>()
  for (const { scope, asked } of ticked.flatMap(({ allows }) => allows)) {
    const key = scope.kind === 'plain' ? scope.text : `${renderScope(asked)} ${scope.type}`
    const before = merged.get(key)
    merged.set(
      key,
      before?.kind === 'resource' && scope.kind === 'resource' ? { ...scope, letters: united(before.letters, scope.letters) } : scope,
    )
  }
  return [...new Set([...merged.values()].map(scope => renderScope(scope)))]
}

const united = (a: string, b: string): string => [...letterOrder].filter(letter => a.includes(letter) || b.includes(letter)).join('')

const counter = (): (() => string) => {
  let n = 0
  return () => `box${++n}`
}

/** Seeing and changing are two boxes each, under one heading. */
const dataGroups = (scopes: readonly ResourceScope[], words: ConsentWords, numbered: () => string): readonly ConsentGroup[] => {
  const byTitle = new Map<string, ResourceScope[]>()
  for (const scope of scopes) {
    const title = groupTitle(scope, words)
    byTitle.set(title, [...(byTitle.get(title) ?? []), scope])
  }
  return [...byTitle].map(([title, group]) => {
    const boxes = halves.flatMap(letters => boxOf(group, letters, words, numbered))
    const wild = group.filter(({ type, params, letters }) => type === '*' && params.length === 0 && /[rs]/.test(letters))
    const whole = boxes[0]?.id
    return { title, boxes, ...(wild.length === 0 || whole === undefined ? {} : { instead: kindsOf(wild, whole, words, numbered) }) }
  })
}

const halves = ['rs', 'cud'] as const

/**
 * One box for all scopes of a heading that are of one sort: of one level, and neither technical nor specially protected, or both, or one of them. Each
 * keeps its own type and parameters.
 */
const boxOf = (group: readonly ResourceScope[], letters: string, words: ConsentWords, numbered: () => string): readonly ConsentBox[] => {
  const narrowed = group.flatMap(asked => {
    const common = commonLetters(asked.letters, letters)
    const scope = { ...asked, letters: common }
    return common === '' ? [] : [{ scope, asked, said: scopeWords(scope, words) }]
  })
  const sorts = Map.groupBy(narrowed, ({ said, scope }) => `${said.sensitive} ${said.technical} ${scope.level}`)
  return [...sorts.keys()].toSorted().flatMap(sort => {
    const parts = sorts.get(sort) ?? []
    const [first] = parts
    if (first === undefined) return []
    const { type, params } = first.scope
    const title = type === '*' && params.length === 0 && letters === 'rs' ? words.say('consent.all') : undefined
    return [
      {
        id: numbered(),
        short: title ?? [...new Set(parts.map(({ said }) => said.short))].join('; '),
        long: [...new Set(parts.map(({ said }) => said.long))].join(' '),
        technical: first.said.technical,
        sensitive: first.said.sensitive,
        ticked: !first.said.sensitive,
        allows: parts,
      },
    ]
  })
}

/** The kinds of data that a wildcard may be narrowed to, reading only: who is to write everything is asked as such. */
const offeredInstead = [
  'Patient',
  'Condition',
  'AllergyIntolerance',
  'medication',
  'Observation',
  'DiagnosticReport',
  'Encounter',
  'Immunization',
  'Procedure',
  'document',
  'Coverage',
] as const

const kindsOf = (wild: readonly ResourceScope[], insteadOf: string, words: ConsentWords, numbered: () => string): readonly ConsentBox[] =>
  offeredInstead.map(group => {
    const allows = typesOfGroup(group).flatMap(type =>
      wild.map(asked => ({ scope: { ...asked, type, letters: commonLetters(asked.letters, 'rs') }, asked })),
    )
    const short = capital(groupName(groupOf(group), words.language))
    return { id: numbered(), short, long: '', technical: false, sensitive: false, ticked: false, allows, insteadOf }
  })

const plainBox = (scopes: readonly PlainScope[], { say }: ConsentWords, id: string): ConsentBox => {
  const [first] = scopes
  const said = first === undefined ? { short: '', long: '', technical: false } : plainScopeWords(first, say)
  return { ...said, id, sensitive: false, ticked: !said.technical, allows: scopes.map(scope => ({ scope, asked: scope })) }
}

const timeBox = (scope: PlainScope, { say, offlineUntil }: ConsentWords, id: string): ConsentBox => {
  const offline = scope.text === 'offline_access'
  const offlineWords = offlineUntil === undefined ? say('consent.offlineUndated') : say('consent.offline', { date: offlineUntil })
  return {
    id,
    short: offline ? offlineWords : say('consent.online'),
    long: offline ? say('scope.offlineLong') : say('scope.onlineLong'),
    technical: false,
    sensitive: false,
    ticked: true,
    allows: [{ scope, asked: scope }],
  }
}
