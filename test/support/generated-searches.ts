import fc from 'fast-check'

// Small vocabularies, so that random searches meet random resources often.
const one = fc.constantFrom
const optional = <T>(member: string, value: fc.Arbitrary<T>) =>
  fc.option(
    value.map(found => ({ [member]: found })),
    { nil: {} },
  )
const object = (...members: fc.Arbitrary<object>[]): fc.Arbitrary<object> => fc.tuple(...members).map(parts => Object.assign({}, ...parts))
const list = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: 1, maxLength: 3 })

const word = one('Ana', 'ana', 'Anastasia', 'Böhm', "O'Neill", 'de la Cruz', 'X', 'Siti-Ana')
const system = one('http://a', 'http://b')
const code = one('1', '2', '12')
const day = one('2020', '2020-02', '2020-02-29', '2020-03-01', '2019-12-31', '2021')
const prefix = one('', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb')
const unit = one('mg', 'g', 'kg')
const number = one('5', '5.4', '5.40', '0.005', '0.0054', '5000', '-1', '0', '5.35', '5.45')
const reference = one('Patient/1', 'Patient/2', 'Group/1')

/** Members of a Patient or an Observation, beside resourceType and id. */
export const generatedResources: Readonly<Record<string, fc.Arbitrary<object>>> = {
  Patient: object(
    optional('name', list(object(optional('family', word), optional('given', list(word))))),
    optional(
      'identifier',
      list(
        object(
          optional('system', system),
          code.map(value => ({ value })),
        ),
      ),
    ),
    optional('gender', one('male', 'female')),
    optional('active', fc.boolean()),
    optional('birthDate', day),
    optional(
      'managingOrganization',
      one('Organization/1', 'Organization/2').map(text => ({ reference: text })),
    ),
  ),
  Observation: object(
    optional(
      'code',
      list(
        object(
          optional('system', system),
          code.map(found => ({ code: found })),
        ),
      ).map(coding => ({ coding })),
    ),
    optional(
      'subject',
      reference.map(text => ({ reference: text })),
    ),
    fc.oneof(
      optional('effectiveDateTime', day),
      optional(
        'effectivePeriod',
        one({ start: '2020' }, { end: '2020-02' }, { start: '2019-12-31', end: '2020-02-29' }, { start: '2020-02', end: '2021' }),
      ),
    ),
    optional(
      'valueQuantity',
      fc.oneof(
        fc
          .tuple(number, unit, optional('comparator', one('<', '>=')))
          .map(([value, of, more]) => ({ value: Number(value), unit: of, system: 'http://unitsofmeasure.org', code: of, ...more })),
        fc.tuple(number, unit).map(([value, of]) => ({ value: Number(value), unit: of })),
      ),
    ),
  ),
}

const pair = (name: fc.Arbitrary<string>, value: fc.Arbitrary<string>) => fc.tuple(name, value).map(([n, v]) => `${n}=${v}`)
const either = (value: fc.Arbitrary<string>) => fc.array(value, { minLength: 1, maxLength: 2 }).map(values => values.join())
const token = fc.oneof(
  code,
  fc.tuple(system, code).map(([s, c]) => `${s}|${c}`),
  code.map(c => `|${c}`),
  system.map(s => `${s}|`),
)
const quantity = fc
  .tuple(prefix, number, one('', '|http://unitsofmeasure.org|mg', '|http://unitsofmeasure.org|g', '||mg', '||kg'))
  .map(parts => parts.join(''))
const missing = (...codes: string[]) => pair(one(...codes.map(name => `${name}:missing`)), one('true', 'false'))

/** One `name=value` each, decoded, that the oracle (oracle.ts) understands. */
export const generatedSearches: Readonly<Record<string, fc.Arbitrary<string>>> = {
  Patient: fc.oneof(
    pair(
      one('name', 'family', 'given', 'name:exact', 'family:exact', 'given:contains', 'name:contains'),
      either(fc.oneof(word, one('an', 'bohm', 'neill', 'ONEILL', 'cruz', 'la cruz'))),
    ),
    pair(one('identifier', 'identifier:not'), either(token)),
    pair(one('gender', 'gender:not'), either(one('male', 'female', '|male', 'http://hl7.org/fhir/administrative-gender|male'))),
    pair(one('active'), one('true', 'false')),
    pair(one('birthdate'), either(fc.tuple(prefix, day).map(parts => parts.join('')))),
    pair(one('organization'), either(one('1', 'Organization/1', 'Organization/2'))),
    pair(one('_id'), either(one('p', 'q'))),
    missing('name', 'identifier', 'gender', 'active', 'birthdate', 'organization'),
  ),
  Observation: fc.oneof(
    pair(one('code', 'code:not'), either(token)),
    pair(one('subject', 'subject:not'), either(one('1', 'Patient/1', 'Patient/2', 'Group/1'))),
    pair(one('subject:Patient'), one('1', '2', 'Patient/1')),
    pair(one('date'), either(fc.tuple(prefix, day).map(parts => parts.join('')))),
    pair(one('value-quantity'), either(quantity)),
    pair(
      one('code-value-quantity'),
      either(
        fc
          .tuple(
            fc.oneof(
              code,
              fc.tuple(system, code).map(([s, c]) => `${s}|${c}`),
              code.map(c => `|${c}`),
            ),
            quantity,
          )
          .map(([c, q]) => `${c}$${q}`),
      ),
    ),
    missing('code', 'subject', 'date', 'value-quantity', 'code-value-quantity'),
  ),
}
