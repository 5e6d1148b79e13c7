// Speaks for rest-api.md 17 (search: transport, careless or hostile) and storage-and-search.md 8 and 9.
import { describe, expect, test } from '@jest/globals'
import { defaultLimits } from '../../src/base/limits.ts'
import { parseSearch, type SearchInput } from '../../src/search/parse.ts'
import type { ParsedSearch, SearchText } from '../../src/search/request.ts'
import type { Node } from '../../src/search/tree.ts'
import { testDefinitions } from '../support/definitions.ts'

const definitions = testDefinitions()
const base = 'https://rs.example/fhir'

const parametersOf = (text: string): SearchText[] =>
  text
    .split('&')
    .filter(Boolean)
    .map(pair => {
      const at = pair.indexOf('=')
      return at < 0 ? { name: pair, value: '' } : { name: pair.slice(0, at), value: pair.slice(at + 1) }
    })

const input = (types: readonly string[], text: string, more: Partial<SearchInput> = {}): SearchInput => ({
  types,
  parameters: parametersOf(text),
  handling: 'strict',
  definitions,
  limits: defaultLimits,
  settings: { base, zone: 'Asia/Jakarta' },
  now: Date.UTC(2026, 10, 21),
  ...more,
})

const parsed = (type: string, text: string, more: Partial<SearchInput> = {}): ParsedSearch => {
  const outcome = parseSearch(input([type], text, more))
  if (!outcome.ok) throw new Error(`${outcome.failure.kind} ${JSON.stringify(outcome.failure.values)}`)
  return outcome.value
}
const whereOf = (type: string, text: string, more: Partial<SearchInput> = {}): Node =>
  parsed(type, text, more).query.parts[0]?.where as Node

/** A tree in one line: what matters of each node. */
const show = (node: Node): string => {
  switch (node.op) {
    case 'and':
    case 'or':
      return `${node.op}(${node.of.map(show).join(' ')})`
    case 'not':
      return `not(${show(node.of)})`
    case 'all':
    case 'none':
      return node.op
    case 'token':
      return `${node.param.code}=${node.system === undefined ? '' : `${node.system}|`}${node.code ?? ''}`
    case 'string':
      return `${node.param.code} ${node.match} "${node.text}"${node.match === 'exact' ? ` "${node.exact}"` : ''}`
    case 'uri':
      return `${node.param.code} ${node.match} ${node.uri}`
    case 'date':
    case 'number':
      return `${node.param.code} ${node.test.prefix} ${node.test.lo}..${node.test.hi}`
    case 'quantity':
      return `${node.param.code} ${node.test.prefix} ${node.test.lo}..${node.test.hi} "${node.unit}"`
    case 'reference':
      return `${node.param.code}>${node.type}/${node.id}`
    case 'composite':
      return `${node.param.code} ${node.key}${node.test ? ` ${node.test.prefix} ${node.test.lo}..${node.test.hi}` : ''}${node.prefix === undefined ? '' : ` "${node.prefix}"`}`
    case 'missing':
      return `${node.param.code} ${node.missing ? 'missing' : 'there'}`
    case 'id':
      return `id ${node.ids.join(',')}`
    case 'lastUpdated':
      return `lastUpdated ${node.test.prefix}`
    case 'chain':
      return `${node.param.code}.{${node.of.map(part => `${part.type}: ${show(part.where)}`).join('; ')}}`
    case 'reverse':
      return `has ${node.param.type}.${node.param.code}{${show(node.of.where)}}`
    case 'compartment':
      return `in ${node.owner.type}/${node.owner.id} by ${node.params.map(param => param.code).join(',')}`
    case 'access':
      return 'access'
  }
}

const may2024 = Date.UTC(2024, 4, 1) - 7 * 3_600_000

describe('A search asks for', () => {
  // biome-ignore format: a table
  const rows: readonly (readonly [string, string, string])[] = [
    ['Patient', '', 'all'],
    ['Patient', 'name=Santoso', 'name prefix "santoso"'],
    ['Patient', 'name=Budi,Siti', 'or(name prefix "budi" name prefix "siti")'],
    ['Patient', 'name=Siti,Budi', 'or(name prefix "budi" name prefix "siti")'],
    ['Patient', 'name=Budi\\,Siti', 'name prefix "budi siti"'],
    ['Patient', 'name=Budi&name=Siti', 'and(name prefix "budi" name prefix "siti")'],
    ['Patient', 'name=Budi&name=budi', 'name prefix "budi"'],
    ['Patient', 'name:exact=Budi', 'name exact "budi" "Budi"'],
    ['Patient', 'name:exact=budi', 'name exact "budi" ""'],
    ['Patient', 'name:exact=-', 'name exact "" "-"'],
    ['Patient', 'name:contains=ud', 'name contains "ud"'],
    ['Patient', 'name:missing=true', 'name missing'],
    ['Patient', 'name:missing=false', 'name there'],
    ['Patient', 'identifier=123', 'identifier=123'],
    ['Patient', 'identifier=http://x|123', 'identifier=http://x|123'],
    ['Patient', 'identifier=|123', 'identifier=|123'],
    ['Patient', 'identifier=http://x|', 'identifier=http://x|'],
    ['Patient', 'identifier=a\\|b', 'identifier=a|b'],
    ['Patient', 'identifier=a\\\\', 'identifier=a\\'],
    ['Patient', 'gender:not=male', 'not(gender=male)'],
    ['Patient', 'gender:not=male,female', 'and(not(gender=female) not(gender=male))'],
    ['Patient', 'active=true', 'active=true'],
    ['Patient', '_id=a,b,a', 'id a,b'],
    ['Patient', '_id=a,b&_id=b,c', 'id b'],
    ['Patient', '_id=a&_id=b', 'none'],
    ['Patient', '_id:missing=true', 'none'],
    ['Patient', '_id:missing=false', 'all'],
    ['Patient', '_lastUpdated=gt2024', 'lastUpdated gt'],
    ['Patient', '_tag=a|b', '_tag=a|b'],
    ['Patient', '_profile=http://p', '_profile exact http://p'],
    ['Patient', '_profile:contains=p', '_profile contains p'],
    ['Patient', 'birthdate=2024-05-01', `birthdate eq ${may2024}..${may2024 + 86_400_000}`],
    ['Patient', 'birthdate=gt2020&birthdate=lt2019', 'none'],
    ['Patient', 'birthdate=2020&birthdate=2021', 'none'],
    ['Observation', 'date=2024-05-01T10:00', `date eq ${may2024 + 36_000_000}..${may2024 + 36_060_000}`],
    ['Observation', 'date=2024-05-01T10:00:00 07:00', `date eq ${may2024 + 36_000_000}..${may2024 + 36_001_000}`],
    ['Observation', 'date=ge2024-05-01T10:00Z', `date ge ${Date.UTC(2024, 4, 1, 10)}..${Date.UTC(2024, 4, 1, 10, 1)}`],
    ['Encounter', 'date=gt2020&date=lt2019', 'and(date gt 1577811600000..1609434000000 date lt 1546275600000..1577811600000)'],
    ['Observation', 'subject=Patient/23', 'subject>Patient/23'],
    ['Observation', 'subject:Patient=23', 'subject>Patient/23'],
    ['Observation', 'subject:Patient=Patient/23', 'subject>Patient/23'],
    ['Observation', `subject=${base}/Patient/23`, 'subject>Patient/23'],
    ['Observation', 'subject=23', 'or(subject>Device/23 subject>Group/23 subject>Location/23 subject>Patient/23)'],
    ['Observation', 'patient=23', 'or(patient>Group/23 patient>Patient/23)'],
    ['Observation', 'subject=Patient/23/_history/2', 'subject=Patient/23/_history/2'],
    ['Observation', 'subject=https://other.example/fhir/Patient/23', 'subject=https://other.example/fhir/Patient/23'],
    ['Observation', 'subject=urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7', 'subject=urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7'],
    ['Observation', 'subject:identifier=http://x|1', 'subject:identifier=http://x|1'],
    ['Observation', 'subject:missing=true', 'subject missing'],
    ['Observation', 'subject:not=Patient/1', 'not(subject>Patient/1)'],
    ['Observation', 'value-quantity=5.4', 'value-quantity eq 5.35..5.45 ""'],
    ['Observation', 'value-quantity=5.4|http://unitsofmeasure.org|mg', 'value-quantity eq 0.00535..0.00545 "=g"'],
    ['Observation', 'value-quantity=5.4||mg', 'or(value-quantity eq 0.00535..0.00545 "=g" value-quantity eq 5.35..5.45 "mg")'],
    ['Observation', 'value-quantity=gt5|http://x|y', 'value-quantity gt 5..5 "http://x|y"'],
    ['Observation', 'value-quantity=5||mmHg', 'value-quantity eq 4.5..5.5 "mmHg"'],
    ['RiskAssessment', 'probability=gt0.8', 'probability gt 0.8..0.8'],
    ['Observation', 'code-value-quantity=http://loinc.org|8480-6$gt140', 'code-value-quantity http://loinc.org|8480-6$ gt 140..140'],
    ['Observation', 'code-value-quantity=8480-6$140|http://unitsofmeasure.org|mg', 'code-value-quantity 8480-6$=g eq 0.1395..0.1405'],
    ['Observation', 'combo-code-value-quantity=a$5', 'or(code-value-quantity a$ eq 4.5..5.5 component-code-value-quantity a$ eq 4.5..5.5)'],
    ['Observation', 'combo-code-value-quantity:missing=true', 'and(code-value-quantity missing component-code-value-quantity missing)'],
    ['Observation', 'code-value-string=a$Bad', 'code-value-string a "bad"'],
    ['Observation', 'code-value-concept=a$s|b', 'code-value-concept a$s|b'],
    ['Observation', 'code-value-concept=a\\$b$c', 'code-value-concept a\\$b$c'],
    ['Observation', 'subject.name=x', 'subject.{Location: name prefix "x"; Patient: name prefix "x"}'],
    ['Observation', 'subject:Patient.name=x', 'subject.{Patient: name prefix "x"}'],
    ['Observation', 'subject:Patient.name:exact=x', 'subject.{Patient: name exact "x" ""}'],
    ['Observation', 'subject:Patient.organization.name=x', 'subject.{Patient: organization.{Organization: name prefix "x"}}'],
    ['Observation', 'patient.identifier=s|1', 'patient.{Group: identifier=s|1; Patient: identifier=s|1}'],
    ['Patient', '_has:Observation:patient:code=1234-5', 'has Observation.patient{code=1234-5}'],
    ['Patient', '_has:Observation:patient:code:not=1', 'has Observation.patient{not(code=1)}'],
    ['Patient', '_has:Observation:patient:_has:AuditEvent:entity:type=a', 'has Observation.patient{has AuditEvent.entity{type=a}}'],
    ['Patient', '_has:Encounter:subject:service-provider.name=x', 'has Encounter.subject{service-provider.{Organization: name prefix "x"}}'],
  ]
  for (const [type, text, expected] of rows)
    test(`${type}?${text}`, () => {
      expect(show(whereOf(type, text))).toBe(expected)
    })
})

describe('A careless or hostile search is refused by name and rule:', () => {
  // biome-ignore format: a table
  const rows: readonly (readonly [string, string, string, Record<string, unknown>?])[] = [
    ['Patient', 'naem=Budi', 'unknown-parameter-suggestion', { parameter: 'naem', where: 'Patient', suggestion: 'name' }],
    ['Patient', 'Name=x', 'unknown-parameter-suggestion', { suggestion: 'name' }],
    ['Patient', '_COUNT=1', 'unknown-parameter-suggestion', { suggestion: '_count' }],
    ['Patient', 'zzzzzzzz=1', 'unknown-parameter', { parameter: 'zzzzzzzz' }],
    ['Patient', 'name=', 'empty-value', { parameter: 'name' }],
    ['Patient', 'name', 'empty-value'],
    ['Patient', '=x', 'bad-parameter'],
    ['Patient', 'name=a,,b', 'empty-value'],
    ['Patient', 'name=,', 'empty-value'],
    ['Patient', 'name=-', 'bad-parameter'],
    ['Patient', 'name:exakt=x', 'unknown-modifier', { modifier: 'exakt', parameter: 'name' }],
    ['Patient', 'name:text=x', 'unsupported-modifier', { modifier: 'text' }],
    ['Patient', 'name:not=x', 'unknown-modifier'],
    ['Patient', 'name:=x', 'unknown-modifier'],
    ['Patient', 'name:constructor=x', 'unknown-modifier'],
    ['Patient', 'constructor=x', 'unknown-parameter'],
    ['Patient', '__proto__=x', 'unknown-parameter'],
    ['Patient', 'name:missing=ja', 'bad-parameter'],
    ['Patient', 'identifier=a|b|c', 'bad-parameter'],
    ['Patient', 'identifier=|', 'bad-parameter'],
    ['Patient', 'identifier:exact=a', 'unknown-modifier'],
    ['Patient', 'identifier:of-type=a', 'unsupported-modifier'],
    ['Patient', 'gender:in=http://vs', 'unsupported-modifier'],
    ['Patient', 'birthdate=gt', 'bad-parameter'],
    ['Patient', 'birthdate=xx2020', 'bad-parameter'],
    ['Patient', 'birthdate=2024-13', 'bad-parameter'],
    ['Patient', 'birthdate=2023-02-29', 'bad-parameter'],
    ['Patient', 'birthdate:not=2024', 'unknown-modifier'],
    ['Patient', 'birthdate:exact=2024', 'unknown-modifier'],
    ['Patient', '_id=\u0000', 'bad-parameter'],
    ['Patient', '_id=a/b', 'bad-parameter'],
    ['Patient', `_id=${'a'.repeat(65)}`, 'bad-parameter'],
    ['Patient', '_text=x', 'unsupported-parameter', { parameter: '_text' }],
    ['Patient', '_content=x', 'unsupported-parameter'],
    ['Patient', '_filter=name eq x', 'unsupported-parameter'],
    ['Patient', '_list=1', 'unsupported-parameter'],
    ['Patient', '_query=x', 'unsupported-parameter'],
    ['Patient', '_contained=true', 'unsupported-parameter'],
    ['Patient', '_containedType=container', 'unsupported-parameter'],
    ['Location', 'near=1|2', 'unsupported-parameter', { parameter: 'near' }],
    ['Patient', '_type=Patient', 'unknown-parameter'],
    ['Patient', '_cursor=x', 'unknown-parameter'],
    ['Patient', '_count=-1', 'bad-parameter'],
    ['Patient', '_count=1e3', 'bad-parameter'],
    ['Patient', '_count=ten', 'bad-parameter'],
    ['Patient', '_count=', 'empty-value'],
    ['Patient', '_count=1&_count=2', 'repeated-parameter', { parameter: '_count' }],
    ['Patient', '_count:missing=true', 'unknown-modifier'],
    ['Patient', '_sort=nothing', 'unknown-parameter'],
    ['Patient', '_sort=name&_sort=birthdate', 'repeated-parameter', { parameter: '_sort' }],
    ['Patient', '_sort=name,-name', 'bad-parameter'],
    ['Patient', '_sort=name,', 'bad-parameter'],
    ['Patient', '_sort=-', 'bad-parameter'],
    ['Observation', '_sort=code-value-quantity', 'bad-parameter'],
    ['Patient', '_sort=name,family,given,birthdate,gender,identifier,active,email,phone,address,telecom', 'bad-parameter'],
    ['Patient', '_total=exact', 'bad-parameter'],
    ['Patient', '_summary=yes', 'bad-parameter'],
    ['Patient', '_summary=true&_elements=name', 'parameter-clash', { first: '_summary', second: '_elements' }],
    ['Observation', '_summary=text&_include=Observation:subject', 'parameter-clash'],
    ['Patient', '_summary=text&_revinclude=Observation:subject', 'parameter-clash'],
    ['Patient', '_elements=naem', 'unknown-element', { element: 'naem' }],
    ['Patient', '_elements=Patient.naem', 'unknown-element'],
    ['Patient', '_elements=name&_elements=gender', 'repeated-parameter'],
    ['Observation', '_include=Observation:naem', 'unknown-parameter'],
    ['Observation', '_include=Observation:code', 'bad-parameter'],
    ['Observation', '_include=Observation', 'bad-parameter'],
    ['Observation', '_include=Observation:subject:Nothing', 'bad-parameter'],
    ['Observation', '_include=Observation:subject:Claim', 'bad-parameter'],
    ['Observation', '_include=Patient:organization', 'bad-parameter'],
    ['Observation', '_include=Nothing:organization', 'bad-parameter'],
    ['Observation', '_include:forever=Observation:subject', 'unknown-modifier'],
    ['Patient', '_revinclude=Claim:care-team', 'bad-parameter'],
    ['Observation', 'subject:Claim=1', 'unknown-modifier'],
    ['Observation', 'subject:Claim.id=1', 'unknown-modifier'],
    ['Observation', 'subject:Patient=Group/1', 'bad-parameter'],
    ['Observation', 'subject=Nothing/1', 'bad-parameter'],
    ['Observation', 'subject=#p', 'bad-parameter'],
    ['Observation', 'subject=Patient?name=x', 'bad-parameter'],
    ['Observation', 'subject:above=1', 'unsupported-modifier'],
    ['Observation', 'subject.naem=x', 'unknown-parameter-suggestion'],
    ['Observation', 'subject:Patient.naem=x', 'unknown-parameter-suggestion'],
    ['Observation', 'code.name=x', 'bad-parameter'],
    ['Observation', 'subject.=x', 'unknown-parameter'],
    ['Observation', '.name=x', 'unknown-parameter'],
    ['Observation', `${'patient.general-practitioner:PractitionerRole.organization.partof.'}name=x`, 'bad-parameter'],
    ['Observation', `${'has-member:Observation.'.repeat(500)}code=x`, 'bad-parameter'],
    ['Patient', '_has:Observation:patient=x', 'bad-parameter'],
    ['Patient', '_has:Nothing:patient:code=x', 'bad-parameter'],
    ['Patient', '_has:Observation:code:code=x', 'bad-parameter'],
    ['Patient', '_has:Observation:encounter:code=x', 'bad-parameter'],
    ['Patient', '_has:Observation:patient:naem=x', 'unknown-parameter'],
    ['Patient', `${'_has:Observation:patient:'.repeat(300)}code=x`, 'bad-parameter'],
    ['Observation', 'value-quantity=5|mg', 'bad-parameter'],
    ['Observation', 'value-quantity=5|a|b|c', 'bad-parameter'],
    ['Observation', 'value-quantity=five', 'bad-parameter'],
    ['Observation', 'value-quantity=5||', 'bad-parameter'],
    ['Observation', `value-quantity=${'9'.repeat(400)}`, 'bad-parameter'],
    ['RiskAssessment', 'probability=1e999', 'bad-parameter'],
    ['Observation', 'code-value-quantity=a', 'bad-parameter'],
    ['Observation', 'code-value-quantity=a$1$2', 'bad-parameter'],
    ['Observation', 'code-value-quantity=$1', 'bad-parameter'],
    ['Observation', 'code-value-quantity=s|$1', 'bad-parameter'],
    ['Observation', 'code-value-quantity:exact=a$1', 'unknown-modifier'],
    ['Patient', `identifier=${Array(1001).fill('a').join()}`, 'too-many-values', { parameter: 'identifier', max: 1000 }],
    ['Patient', Array(101).fill('name=a').join('&'), 'too-many-parameters', { max: 100 }],
  ]
  for (const [type, text, kind, values] of rows)
    test(`${type}?${text.length > 80 ? `${text.slice(0, 80)}…` : text} is ${kind}`, () => {
      const outcome = parseSearch(input([type], text))
      if (outcome.ok) throw new Error(`was understood as ${show(outcome.value.query.parts[0]?.where as Node)}`)
      expect(outcome.failure.kind).toBe(kind)
      if (values) expect(outcome.failure.values).toMatchObject(values)
      const [name] = text.split('=')
      if (kind !== 'too-many-parameters' && name !== undefined && name.length < 100 && !text.includes('&'))
        expect(outcome.failure.location).toEqual([`http.${name}`])
    })

  test('a name of a megabyte is not echoed', () => {
    const outcome = parseSearch(input(['Patient'], `${'x'.repeat(1_000_000)}=1`))
    expect(JSON.stringify(outcome).length).toBeLessThan(1000)
  })
  test('100 parameters of 1,000 ids without type are answered or refused in bounded time', () => {
    const started = performance.now()
    const ids = Array.from({ length: 1000 }, (_, i) => `id-${i}`).join()
    const outcome = parseSearch(input(['Provenance'], Array(100).fill(`target=${ids}`).join('&')))
    expect(outcome).toMatchObject({ ok: false, failure: { kind: 'too-many-values' } })
    expect(performance.now() - started).toBeLessThan(2000)
  })
})

describe('Lenient handling', () => {
  const lenient = (text: string) => parsed('Patient', text, { handling: 'lenient' })
  test('leaves out what is unknown, unsupported or empty, and says so', () => {
    const search = lenient('naem=x&name=Budi&name:text=y&_text=z&gender=&_elements=naem&_sort=nothing&_type=Patient')
    expect(show(search.query.parts[0]?.where as Node)).toBe('name prefix "budi"')
    expect(search.applied).toEqual([
      { name: 'name', value: 'Budi' },
      { name: '_count', value: '20' },
    ])
    expect(search.ignored.map(issue => issue.values['parameter'])).toEqual([
      'naem',
      'name:text',
      '_text',
      'gender',
      '_elements',
      '_sort',
      '_type',
    ])
    expect(search.ignored.every(issue => issue.severity === 'warning' && issue.kind === 'parameter-ignored')).toBe(true)
  })
  test('does not forgive what is malformed', () =>
    expect(parseSearch(input(['Patient'], 'birthdate=soon', { handling: 'lenient' }))).toMatchObject({
      failure: { kind: 'bad-parameter' },
    }))
})

describe('What was applied', () => {
  test('is the parameters in their order, with the default count', () =>
    expect(parsed('Patient', 'name=Budi&_sort=-birthdate').applied).toEqual([
      { name: 'name', value: 'Budi' },
      { name: '_sort', value: '-birthdate' },
      { name: '_count', value: '20' },
    ]))
  test('is the greatest count where more was asked', () => {
    const search = parsed('Patient', '_count=100000')
    expect([search.count, search.applied]).toEqual([1000, [{ name: '_count', value: '1000' }]])
  })
  test('may be a count of none', () => expect(parsed('Patient', '_count=0').count).toBe(0))
  test('keeps _format and shows a plus as plus', () =>
    expect(parsed('Observation', 'date=2024-05-01T10:00:00 07:00&_format=json').applied).toEqual([
      { name: 'date', value: '2024-05-01T10:00:00+07:00' },
      { name: '_format', value: 'json' },
      { name: '_count', value: '20' },
    ]))
})

describe('How to answer', () => {
  test('sorts by a list', () =>
    expect(parsed('Patient', '_sort=-birthdate,name,_id,_lastUpdated').query.sort).toEqual([
      { code: 'birthdate', kind: 'date', descending: true },
      { code: 'name', kind: 'string', descending: false },
      { code: '_id', kind: 'token', descending: false },
      { code: '_lastUpdated', kind: 'date', descending: false },
    ]))
  test('has defaults', () =>
    expect(parsed('Patient', '')).toMatchObject({
      count: 20,
      total: 'cheap',
      summary: 'false',
      includes: [],
      revincludes: [],
      ignored: [],
    }))
  test('takes _total, _summary and _elements', () => {
    expect(parsed('Patient', '_total=accurate&_summary=count')).toMatchObject({ total: 'accurate', summary: 'count' })
    expect(parsed('Observation', '_elements=value,valueQuantity,Patient.name,code').elements).toEqual([
      'value',
      'valueQuantity',
      'Patient.name',
      'code',
    ])
  })
  test('includes', () => {
    const { includes, revincludes } = parsed(
      'Patient',
      '_include=Patient:organization&_include:iterate=Organization:partof&_revinclude=Observation:subject:Patient',
    )
    expect(includes).toEqual([
      { text: 'Patient:organization', params: [{ type: 'Patient', code: 'organization', kind: 'reference' }], iterate: false },
      { text: 'Organization:partof', params: [{ type: 'Organization', code: 'partof', kind: 'reference' }], iterate: true },
    ])
    expect(revincludes).toEqual([
      {
        text: 'Observation:subject:Patient',
        params: [{ type: 'Observation', code: 'subject', kind: 'reference' }],
        targetType: 'Patient',
        iterate: false,
      },
    ])
  })
  test('expands *', () => {
    expect(
      parsed('Patient', '_include=*')
        .includes[0]?.params.map(param => param.code)
        .sort(),
    ).toEqual(['general-practitioner', 'link', 'organization'])
    expect(
      parsed('Patient', '_include=Patient:*:Organization')
        .includes[0]?.params.map(param => param.code)
        .sort(),
    ).toEqual(['general-practitioner', 'organization'])
    const [revinclude] = parsed('Patient', '_revinclude=*').revincludes
    expect(revinclude?.params.length).toBeGreaterThan(100)
    expect(revinclude?.params.some(param => param.type === 'Observation' && param.code === 'patient')).toBe(true)
    expect(revinclude?.params.some(param => param.type === 'Observation' && param.code === 'encounter')).toBe(false)
  })
})

describe('A search of several types', () => {
  test('asks each type for what all of them know', () => {
    const outcome = parseSearch(input(definitions.resourceTypes, '_type=Patient,Observation&_id=1'))
    expect(outcome.ok && outcome.value.query.parts.map(part => `${part.type}: ${show(part.where)}`)).toEqual([
      'Patient: id 1',
      'Observation: id 1',
    ])
  })
  test('of the whole system knows the parameters of Resource', () => {
    const outcome = parseSearch(input(definitions.resourceTypes, '_lastUpdated=gt2024&_tag=a'))
    expect(outcome.ok && outcome.value.query.parts.length).toBe(definitions.resourceTypes.length)
  })
  // biome-ignore format: a table
  const refusals: readonly (readonly [string, string])[] = [
    ['name=x', 'unknown-parameter'], ['_type=Patient,Observation&name=x', 'unknown-parameter'], ['_type=Patien&_id=1', 'bad-parameter'],
    ['_type=&_id=1', 'empty-value'], ['_type=Patient&_type=Observation', 'repeated-parameter'], ['_type=Patient,Observation&_sort=name', 'unknown-parameter'],
  ]
  for (const [text, kind] of refusals)
    test(`refuses ${text} as ${kind}`, () =>
      expect(parseSearch(input(definitions.resourceTypes, text))).toMatchObject({ ok: false, failure: { kind } }))
})

describe('A search of a compartment', () => {
  const compartment = { type: 'Patient', id: '1' }
  test('is bound to its owner', () =>
    expect(show(whereOf('Condition', 'code=x', { compartment }))).toBe('and(in Patient/1 by patient,asserter code=x)'))
  test('holds the owner', () => expect(show(whereOf('Patient', '', { compartment }))).toBe('or(in Patient/1 by link id 1)'))
  test('of all types asks those that belong to it', () => {
    const outcome = parseSearch(input(definitions.resourceTypes, '', { compartment }))
    const types = outcome.ok ? outcome.value.query.parts.map(part => part.type) : []
    expect(types).toContain('Observation')
    expect(types).not.toContain('Medication')
  })
  test('refuses a type that never belongs to it', () =>
    expect(parseSearch(input(['Medication'], '', { compartment }))).toMatchObject({
      failure: { kind: 'not-in-compartment', values: { type: 'Medication', compartment: 'Patient' } },
    }))
})
