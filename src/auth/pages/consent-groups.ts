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
  /** What it allows. */
  readonly scopes: readonly SmartScope[]
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
  for (const scope of ticked.flatMap(({ scopes }) => scopes)) {
    const key = scope.kind === 'plain' ? scope.text : renderScope({ ...scope, letters: '', v1: false })
    const before = merged.get(key)
    merged.set(
      key,
      before?.kind === 'resource' && scope.kind === 'resource' ? { ...scope, letters: united(before.letters, scope.letters) } : scope,
    )
  }
  return [...merged.values()].map(scope => renderScope(scope))
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

/** One box for all scopes of a heading that say the same; each keeps its own level, type and parameters. */
const boxOf = (group: readonly ResourceScope[], letters: string, words: ConsentWords, numbered: () => string): readonly ConsentBox[] => {
  const narrowed = group.flatMap(scope => {
    const common = commonLetters(scope.letters, letters)
    return common === '' ? [] : [{ ...scope, letters: common }]
  })
  const sorts = [true, false].map(sensitive => narrowed.filter(scope => scopeWords(scope, words).sensitive === sensitive))
  return sorts.toReversed().flatMap(scopes => {
    const [first] = scopes
    if (first === undefined) return []
    const all = scopes.map(scope => scopeWords(scope, words))
    const title = first.type === '*' && first.params.length === 0 && letters === 'rs' ? words.say('consent.all') : undefined
    return [
      {
        id: numbered(),
        short: title ?? [...new Set(all.map(({ short }) => short))].join('; '),
        long: [...new Set(all.map(({ long }) => long))].join(' '),
        technical: all.some(({ technical }) => technical),
        sensitive: all.some(({ sensitive }) => sensitive),
        ticked: !all.some(({ sensitive }) => sensitive),
        scopes,
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
  offeredInstead.flatMap(group => {
    const scopes = typesOfGroup(group)
      .flatMap(type => wild.map(scope => ({ ...scope, type, letters: commonLetters(scope.letters, 'rs') })))
      .filter(({ letters }) => letters !== '')
    const [first] = scopes
    if (first === undefined) return []
    return [
      {
        id: numbered(),
        short: capital(groupName(groupOf(group), words.language)),
        long: '',
        technical: false,
        sensitive: false,
        ticked: false,
        scopes,
        insteadOf,
      },
    ]
  })

const plainBox = (scopes: readonly PlainScope[], { say }: ConsentWords, id: string): ConsentBox => {
  const [first] = scopes
  const said = first === undefined ? { short: '', long: '', technical: false } : plainScopeWords(first, say)
  return { ...said, id, sensitive: false, ticked: !said.technical, scopes }
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
    scopes: [scope],
  }
}
