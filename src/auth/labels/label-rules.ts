import { type Confidentiality, confidentialityLevels } from '../../base/access-filter.ts'
import type { Resource } from '../../fhir/model/resource.ts'
import { isRecord, isTexts, Problems, recordOf, refuseOthers } from '../roles/json-shape.ts'
import { joinLabels, type Labels, withLabels } from './labels.ts'

/** A rule of labels.json: what bears one of these codes, organizations or classes is labelled so. */
type LabelRule = {
  readonly name: string
  /** `system|code`; a star at the end stands for all codes that begin so. */
  readonly codes: readonly string[]
  readonly valueSets: readonly string[]
  /** Ids of Organizations that own the resource. */
  readonly organizations: readonly string[]
  /** `system|code` of Encounter.class. */
  readonly classes: readonly string[]
  readonly labels: Labels
}

export type LabelRules = { readonly version: string; readonly rules: readonly LabelRule[] }
export type ReadLabelRules =
  | { readonly ok: true; readonly rules: LabelRules }
  | { readonly ok: false; readonly problems: readonly string[] }

const sources = ['codes', 'valueSets', 'organizations', 'classes'] as const

/** A document that is not wholly understood labels nothing as it was meant: whoever gets problems must not start. */
export const readLabelRules = (json: unknown): ReadLabelRules => {
  const problems = new Problems()
  const record = recordOf(json, 'labels', problems)
  refuseOthers(record, ['version', 'rules'], 'labels', problems)
  if (typeof record.version !== 'string' || record.version === '') problems.add('labels.version is missing')
  if (!Array.isArray(record.rules)) problems.add('labels.rules is a list')
  const given: readonly unknown[] = Array.isArray(record.rules) ? record.rules : []
  const rules = given.map((rule, index) => readRule(rule, `labels.rules[${index}]`, problems))
  return problems.found.length === 0
    ? { ok: true, rules: { version: String(record.version), rules } }
    : { ok: false, problems: problems.found }
}

const readRule = (json: unknown, at: string, problems: Problems): LabelRule => {
  const record = recordOf(json, at, problems)
  refuseOthers(record, ['name', 'confidentiality', 'sensitivities', ...sources], at, problems)
  const { name, confidentiality, sensitivities = [] } = record
  if (typeof name !== 'string' || name === '') problems.add(`${at}.name is missing`)
  if (typeof confidentiality !== 'string' || !Object.hasOwn(confidentialityLevels, confidentiality)) {
    problems.add(`${at}.confidentiality is one of U, L, M, N, R, V`)
  }
  if (!isTexts(sensitivities)) problems.add(`${at}.sensitivities is a list of codes`)
  if (sources.every(source => record[source] === undefined)) problems.add(`${at} says of nothing that it is labelled`)
  const texts = (source: (typeof sources)[number]): readonly string[] => {
    const list = record[source] ?? []
    if (!isTexts(list)) problems.add(`${at}.${source} is a list of texts`)
    else if ((source === 'codes' || source === 'classes') && list.some(token => token.indexOf('|') <= 0))
      problems.add(`${at}.${source} are system|code`)
    return isTexts(list) ? list : []
  }
  return {
    name: String(name),
    codes: texts('codes'),
    valueSets: texts('valueSets'),
    organizations: texts('organizations'),
    classes: texts('classes'),
    labels: {
      confidentiality: confidentiality as Confidentiality, // a problem above when it is none
      sensitivities: isTexts(sensitivities) ? sensitivities : [],
    },
  }
}

/** What the rules cannot see in the resource itself. */
export type Surroundings = {
  /** Ids of its owners, as access filters know them. */
  readonly organizations?: readonly string[]
  /** Whether a code is in a value set; undefined when that cannot be told, and then it is. */
  readonly memberOf?: (valueSet: string, coding: { readonly system: string; readonly code: string }) => boolean | undefined
}

/** The resource with the labels that the rules want for it, beside those it has; never with fewer. */
export const labelled = (resource: Resource, given: LabelRules, surroundings: Surroundings = {}): Resource => {
  const { rules } = given
  if (rules.length === 0) return resource
  const codings = codingsIn(resource)
  const bearing = new Set(codings.flatMap(coding => rulesOfCode(given, coding)))
  const fitting = rules.filter(rule => bearing.has(rule) || fits(rule, resource, codings, surroundings))
  return fitting.length === 0 ? resource : withLabels(resource, joinLabels(fitting.map(({ labels }) => labels)))
}

type Token = { readonly system: string; readonly code: string }

const textOf = ({ system, code }: Token): string => `${system}|${code}`

const fits = (rule: LabelRule, resource: Resource, codings: readonly Token[], { organizations = [], memberOf }: Surroundings): boolean =>
  (rule.valueSets.length > 0 && codings.some(coding => rule.valueSets.some(set => memberOf?.(set, coding) !== false))) ||
  rule.organizations.some(id => organizations.includes(id)) ||
  (resource.resourceType === 'Encounter' &&
    codingsIn(resource.class).some(coding => rule.classes.some(wanted => isCode(wanted, textOf(coding)))))

const rememberedMax = 10_000
/** Rules that speak of codes of a system, and by code those found before: resources bear the same codes again and again. */
type OfSystem = { readonly rules: Set<LabelRule>; readonly byText: Map<string, readonly LabelRule[]> }
const bySystem = new WeakMap<LabelRules, ReadonlyMap<string, OfSystem>>()
const none: readonly LabelRule[] = []

/** Rules one of whose codes this is. Of most systems no rule speaks. */
const rulesOfCode = (given: LabelRules, token: Token): readonly LabelRule[] => {
  const ofSystem = systemsOf(given).get(firstPart(token.system))
  if (ofSystem === undefined) return none
  const text = textOf(token)
  const known = ofSystem.byText.get(text)
  if (known !== undefined) return known
  const found = [...ofSystem.rules].filter(({ codes }) => codes.some(wanted => isCode(wanted, text)))
  if (ofSystem.byText.size >= rememberedMax) ofSystem.byText.clear()
  ofSystem.byText.set(text, found)
  return found
}

const systemsOf = (given: LabelRules): ReadonlyMap<string, OfSystem> => {
  const known = bySystem.get(given)
  if (known !== undefined) return known
  const systems = new Map<string, OfSystem>()
  for (const rule of given.rules)
    for (const code of rule.codes) {
      const system = firstPart(code)
      const ofSystem = systems.get(system) ?? { rules: new Set(), byText: new Map() }
      systems.set(system, ofSystem)
      ofSystem.rules.add(rule)
    }
  bySystem.set(given, systems)
  return systems
}

/** Up to the first bar. What a Coding calls its system may hold one, too. */
const firstPart = (text: string): string => {
  const bar = text.indexOf('|')
  return bar < 0 ? text : text.slice(0, bar)
}

const isCode = (wanted: string, text: string): boolean => (wanted.endsWith('*') ? text.startsWith(wanted.slice(0, -1)) : text === wanted)

/** Every Coding below the value, contained resources included; not the labels and tags themselves. Recursion is bounded by the depth of a body. */
const codingsIn = (value: unknown): readonly Token[] => {
  const found: Token[] = []
  const walk = (part: unknown): void => {
    if (Array.isArray(part)) for (const item of part) walk(item)
    else if (isRecord(part)) {
      const { system, code } = part
      if (typeof system === 'string' && typeof code === 'string') found.push({ system, code })
      for (const name of Object.keys(part)) if (name !== 'meta') walk(part[name])
    }
  }
  walk(value)
  return found
}
