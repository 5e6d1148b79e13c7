import type { SearchParameterDefinition } from '../../src/fhir/definitions/definitions.ts'
import type { Resource } from '../../src/fhir/model/resource.ts'
import { createIndexer } from '../../src/search/index-values.ts'
import type { IndexValues } from '../../src/search/values.ts'
import { testDefinitions } from '../support/definitions.ts'
import { type Family, families, type Hospitals, type Instance } from './hospitals.ts'
import { oneOf, type Random } from './random.ts'

/** One search. Made from the definitions, with values that stand in the hospitals, whoever's they are. */
export type Question = {
  /** What is counted in the table of the walk. */
  readonly way: string
  /** Below the base of the API, without `_count` and `_total`. */
  readonly url: string
}

type Values = ReadonlyMap<string, readonly string[]>

/** Values as searches name them, of each type and parameter. */
export type Vocabulary = {
  readonly hospitals: Hospitals
  /** Keys are `Type code`. */
  readonly values: Values
  readonly ofType: ReadonlyMap<string, readonly Instance[]>
}

export const vocabularyOf = (hospitals: Hospitals, base: string): Vocabulary => {
  const index = createIndexer(testDefinitions(), { base, zone: 'Asia/Jakarta' })
  const values = new Map<string, string[]>()
  const ofType = new Map<string, Instance[]>()
  for (const instance of hospitals.instances) {
    ofType.set(instance.type, [...(ofType.get(instance.type) ?? []), instance])
    const newest = instance.states.at(-1) ?? instance.states.at(-2)
    if (newest === undefined) continue
    for (const [param, text] of textsOf(index(newest as Resource))) {
      const key = `${instance.type} ${param}`
      const known = values.get(key) ?? []
      values.set(key, known)
      if (known.length < 40 && !known.includes(text)) known.push(text)
    }
  }
  return { hospitals, values, ofType }
}

const textsOf = (values: IndexValues): readonly (readonly [string, string])[] => [
  ...values.tokens.map(({ param, system, code }) => [param, escaped(system === '' ? code : `${system}|${code}`, system !== '')] as const),
  ...values.strings.map(({ param, value }) => [param, escaped(value)] as const),
  ...values.dates.map(({ param, lo }) => [param, new Date(lo).toISOString().slice(0, 10)] as const),
  ...values.numbers.map(({ param, lo }) => [param, String(lo)] as const),
  ...values.references.map(({ param, type, id }) => [param, `${type}/${id}`] as const),
]

const escaped = (text: string, bar = false): string => text.replace(bar ? /[\\,$]/g : /[\\,$|]/g, sign => `\\${sign}`)

export const query = (parameters: Readonly<Record<string, string>>): string =>
  Object.entries(parameters)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&')

const tag = 'urn:leaks|'

/** Every way to ask of every parameter of a type. */
export const questionsOf = (type: string, vocabulary: Vocabulary, random: Random): readonly Question[] => {
  const { hospitals, ofType } = vocabulary
  const made: Question[] = []
  const add = (way: string, path: string, parameters: Readonly<Record<string, string>>): void =>
    void made.push({ way, url: `${path}?${query(parameters)}` })
  const instances = ofType.get(type) ?? []
  const some = (of = instances): Instance => oneOf(of, random)
  add('all of a type', type, {})
  add('ids', type, {
    _id: instances
      .map(({ id }) => id)
      .slice(0, 30)
      .join(),
  })
  add('tags', type, { _tag: `${tag}${some().id}t` })
  add('tags', type, { '_tag:not': `${tag}${some().id}t` })
  add('security', type, { _security: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality|R' })
  add('age', type, { _lastUpdated: 'gt2020-01-01', _sort: '-_lastUpdated' })
  add('wildcards', type, { _include: '*' })
  add('wildcards', type, { _revinclude: '*', '_include:iterate': '*' })
  add('wildcards', type, { _include: `${type}:*` })
  add('lists', type, { _list: some(ofType.get('List')).id })
  add('elements', type, { _elements: 'id,meta,text,subject' })
  add('summaries', type, { _summary: oneOf(['true', 'text', 'data', 'count'], random) })
  for (const compartment of ['Patient', 'Encounter', 'Practitioner', 'RelatedPerson', 'Device']) {
    const owner = ofType.get(compartment)
    if (owner === undefined || testDefinitions().compartment(compartment)?.resources[type] === undefined) continue
    for (const { id } of [some(owner), some(owner)]) add('compartments', `${compartment}/${id}/${type}`, {})
  }
  for (const definition of testDefinitions().searchParameters(type).values())
    if (definition.code !== '_id') made.push(...ofParameter(type, definition, vocabulary, random))
  return made.map(question => ({ ...question, url: question.url.replaceAll('{prefix}', hospitals.prefix) }))
}

const ofParameter = (
  type: string,
  { code, type: kind, targets = [] }: SearchParameterDefinition,
  { values, ofType, hospitals }: Vocabulary,
  random: Random,
): readonly Question[] => {
  const known = values.get(`${type} ${code}`) ?? []
  const value = known.length > 0 ? oneOf(known, random) : undefined
  const made: Question[] = []
  const add = (way: string, parameters: Readonly<Record<string, string>>, path = type): void =>
    void made.push({ way, url: `${path}?${query(parameters)}` })
  add('missing', { [`${code}:missing`]: 'true' })
  add('missing', { [`${code}:missing`]: 'false' })
  add('sorts', { _sort: oneOf([code, `-${code}`], random) })
  if (value !== undefined) {
    add('plain', { [code]: value })
    if (known.length > 1) add('alternatives', { [code]: known.slice(0, 8).join() })
    if (kind === 'token') add('not', { [`${code}:not`]: value })
    if (kind === 'string') add('strings', { [`${code}:${oneOf(['exact', 'contains'], random)}`]: value })
    if (kind === 'date') add('dates', { [code]: `${oneOf(['ge', 'le', 'ne', 'sa', 'eb', 'ap'], random)}${value}` })
    if (kind === 'reference' && value.includes('/')) {
      const [target = '', id = ''] = value.split('/')
      add('typed references', { [`${code}:${target}`]: id })
    }
  }
  if (kind === 'reference') {
    add('identifiers of references', { [`${code}:identifier`]: `urn:nik|3171${hospitals.id(oneOf(families, random), 'Patient')}i` })
    for (const target of targets.filter(one => ofType.has(one)).slice(0, 6)) {
      const foreign = oneOf(ofType.get(target) ?? [], random)
      add('chains', { [`${code}:${target}._id`]: foreign.id })
      add('chains', { [`${code}:${target}._tag`]: `${tag}${foreign.id}t` })
      const inner = [...testDefinitions().searchParameters(target).keys()].filter(one => values.has(`${target} ${one}`))
      if (inner.length > 0) {
        const by = oneOf(inner, random)
        add('chains', { [`${code}:${target}.${by}`]: oneOf(values.get(`${target} ${by}`) ?? [], random) })
        add('chains of what is missing', { [`${code}:${target}.${by}:missing`]: 'true' })
      }
      const ofOne = oneOf(ofType.get(type) ?? [], random)
      add('reverse chains', { [`_has:${type}:${code}:_id`]: ofOne.id }, target)
      add('reverse chains', { [`_has:${type}:${code}:_tag`]: `${tag}${ofOne.id}t` }, target)
      if (value !== undefined) add('reverse chains', { [`_has:${type}:${code}:${code}`]: value }, target)
      add('reverse includes', { _revinclude: `${type}:${code}` }, target)
      add('reverse includes', { '_revinclude:iterate': `${type}:${code}`, _id: foreign.id }, target)
      add('includes', { _include: `${type}:${code}:${target}` })
    }
    add('includes', { _include: `${type}:${code}` })
    add('includes', { '_include:iterate': `${type}:${code}`, _revinclude: 'Provenance:target' })
  }
  return made
}

/** Searches of several types. */
export const systemQuestions = ({ hospitals, ofType }: Vocabulary, random: Random): readonly Question[] => {
  const ids = (family: Family) => hospitals.instances.filter(one => one.family === family).map(({ id }) => id)
  const types = [...ofType.keys()]
  const some = () => [oneOf(types, random), oneOf(types, random), 'Patient', 'Observation'].join()
  return [
    ...families.map(family => ({ way: 'system', url: `?${query({ _type: some(), _id: ids(family).slice(0, 40).join() })}` })),
    { way: 'system', url: `?${query({ _type: some() })}` },
    { way: 'system', url: `?${query({ _type: 'Patient,Encounter,Observation,Condition', _lastUpdated: 'gt2020-01-01' })}` },
    ...families.map(family => ({
      way: 'compartments',
      url: `Patient/${hospitals.id(family, 'Patient')}/*?${query({ _id: ids(family).slice(0, 40).join() })}`,
    })),
  ]
}
