/** Negotiation of scopes: granted = requested ∩ client ∩ roles ∩ ticked, and refresh ≤ grant. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { grantScopes, intersectScopes, isWithin, narrowToLetters, uniteScopes } from '../../../src/auth/scopes/narrow.ts'
import { parseScope, parseScopes, renderScope, renderScopes, type SmartScope } from '../../../src/auth/scopes/scope.ts'
import { supportedScopes } from '../../../src/auth/scopes/supported-scopes.ts'
import { testDefinitions } from '../../support/definitions.ts'

const rules = { definitions: testDefinitions() }
const read = (text: string): readonly SmartScope[] => parseScopes(text, rules).scopes

describe('the intersection of two lists', () => {
  const rows: readonly (readonly [asked: string, allowed: string, both: string])[] = [
    ['openid launch/patient', 'openid fhirUser', 'openid'],
    ['patient/*.rs', 'patient/*.cruds', 'patient/*.rs'],
    ['patient/*.cruds', 'patient/*.rs', 'patient/*.rs'],
    ['patient/*.rs', 'user/*.rs', ''],
    ['patient/*.rs', 'patient/Observation.rs patient/Condition.r', 'patient/Observation.rs patient/Condition.r'],
    ['patient/Observation.rs', 'patient/*.rs', 'patient/Observation.rs'],
    ['patient/Observation.c', 'patient/Observation.rs', ''],
    ['patient/*.read', 'patient/*.cruds', 'patient/*.read'],
    ['patient/*.*', 'patient/*.rs', 'patient/*.read'],
    ['patient/*.*', 'patient/*.r', 'patient/*.r'],
    ['user/*.cruds', 'user/AuditEvent.rs', ''],
    ['user/AuditEvent.rs', 'user/*.cruds', ''],
    ['user/AuditEvent.rs user/*.rs', 'user/AuditEvent.rs user/*.rs', 'user/AuditEvent.rs user/*.rs'],
    ['patient/Observation.rs', 'patient/Observation.rs?category=a', 'patient/Observation.rs?category=a'],
    ['patient/Observation.rs?category=a', 'patient/Observation.rs', 'patient/Observation.rs?category=a'],
    ['patient/Observation.rs?category=a', 'patient/Observation.rs?category=b', 'patient/Observation.rs?category=a&category=b'],
    [
      'patient/Observation.rs',
      'patient/Observation.rs?category=a patient/Observation.rs?category=b',
      'patient/Observation.rs?category=a patient/Observation.rs?category=b',
    ],
    // the wider of two, when both are allowed
    ['patient/Observation.rs?category=a', 'patient/Observation.rs?category=b patient/*.rs', 'patient/Observation.rs?category=a'],
    ['patient/Observation.rs', 'patient/*.rs patient/Observation.rs', 'patient/Observation.rs'],
  ]
  for (const [asked, allowed, both] of rows) {
    test(`${asked} and ${allowed}: ${both || 'nothing'}`, () => {
      expect(renderScopes(intersectScopes(read(asked), read(allowed)))).toBe(both)
    })
  }
})

test('at most 200 scopes come of two long lists', () => {
  const list = (code: string): readonly SmartScope[] =>
    read(Array.from({ length: 200 }, (_, index) => `user/Observation.rs?${code}=${index}`).join(' '))
  const [asked, allowed] = [list('category'), list('code')]
  const both = intersectScopes(asked, allowed)
  expect(both).toHaveLength(200)
  expect(isWithin(both, asked) && isWithin(both, allowed)).toBe(true)
  expect(intersectScopes(asked, asked)).toEqual(asked)
})

test('roles take the letters that they can never use, and keep wildcards', () => {
  const lettersOf = (type: string): string => (type === 'Patient' ? 'rs' : type === '*' ? 'crus' : '')
  expect(renderScopes(narrowToLetters(read('openid user/*.cruds user/Patient.cruds user/Account.rs'), lettersOf))).toBe(
    'openid user/*.crus user/Patient.rs',
  )
})

test('what is granted was asked, allowed, usable and ticked', () => {
  const granted = grantScopes({
    asked: read('openid patient/*.cruds offline_access'),
    client: read('openid patient/*.rs offline_access'),
    roles: () => 'rs',
    ticked: read('openid patient/Observation.rs?category=laboratory patient/Condition.rs'),
  })
  expect(renderScopes(granted)).toBe('openid patient/Observation.rs?category=laboratory patient/Condition.rs')
})

/** What a scope list lets through, by brute force: one request for one state. */
type Request = { readonly level: string; readonly type: string; readonly letter: string; readonly has: ReadonlySet<string> }

const lets = (scopes: readonly SmartScope[], { level, type, letter, has }: Request): boolean =>
  scopes.some(
    scope =>
      scope.kind === 'resource' &&
      scope.level === level &&
      (scope.type === type || (scope.type === '*' && type !== 'AuditEvent')) &&
      scope.letters.includes(letter) &&
      scope.params.every(({ code, value }) => value.split(',').some(one => has.has(`${code}=${one}`))),
  )

const levels = ['patient', 'user'] as const
const types = ['Observation', 'Condition', 'AuditEvent'] as const
const conditions = ['category=a', 'category=b', 'category=a,b', 'code=x'] as const
const letters = fc.subarray(['c', 'r', 'u', 'd', 's'], { minLength: 1 }).map(list => list.join(''))
const scopeText = fc
  .record({
    level: fc.constantFrom(...levels),
    type: fc.constantFrom('*', ...types),
    right: fc.oneof(letters, fc.constantFrom('read', 'write', '*')),
    params: fc.subarray([...conditions], { maxLength: 2 }),
  })
  .map(({ level, type, right, params }) => {
    const granular = type === 'Observation' && params.length > 0 && !['read', 'write', '*'].includes(right)
    return `${level}/${type}.${right}${granular ? `?${params.join('&')}` : ''}`
  })
const scopeList = fc
  .array(fc.oneof(scopeText, fc.constantFrom('openid', 'launch/patient')), { maxLength: 6 })
  .map(list => read(list.join(' ')))
const request: fc.Arbitrary<Request> = fc.record({
  level: fc.constantFrom(...levels),
  type: fc.constantFrom(...types),
  letter: fc.constantFrom('c', 'r', 'u', 'd', 's'),
  has: fc.subarray(['category=a', 'category=b', 'code=x']).map(list => new Set(list)),
})
const plainOf = (scopes: readonly SmartScope[]): ReadonlySet<string> =>
  new Set(scopes.flatMap(scope => (scope.kind === 'plain' ? scope.text : [])))

describe('whatever the scopes', () => {
  test('the intersection lets through exactly what both sides do', () => {
    fc.assert(
      fc.property(scopeList, scopeList, request, (a, b, asked) => {
        const both = intersectScopes(a, b)
        expect(lets(both, asked)).toBe(lets(a, asked) && lets(b, asked))
        for (const text of plainOf(both)) expect(plainOf(a).has(text) && plainOf(b).has(text)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  test('an intersection lies within both sides, and a refresh for it within the grant', () => {
    fc.assert(
      fc.property(scopeList, scopeList, (a, b) => {
        const both = intersectScopes(a, b)
        expect(isWithin(both, a)).toBe(true)
        expect(isWithin(both, b)).toBe(true)
      }),
    )
  })

  test('what is within a list never lets more through', () => {
    fc.assert(
      fc.property(scopeList, scopeList, request, (a, b, asked) => {
        if (isWithin(a, b) && lets(a, asked)) expect(lets(b, asked)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  test('a condition never widens a scope', () => {
    fc.assert(
      fc.property(fc.constantFrom(...levels), letters, fc.constantFrom(...conditions), request, (level, right, condition, asked) => {
        const whole = read(`${level}/Observation.${right}`)
        const part = read(`${level}/Observation.${right}?${condition}`)
        if (lets(part, asked)) expect(lets(whole, asked)).toBe(true)
        expect(isWithin(part, whole)).toBe(true)
        expect(isWithin(whole, part)).toBe(false)
      }),
    )
  })

  test('the union lets through what either does', () => {
    fc.assert(
      fc.property(scopeList, scopeList, request, (a, b, asked) => {
        expect(lets(uniteScopes(a, b), asked)).toBe(lets(a, asked) || lets(b, asked))
      }),
    )
  })

  test('what is rendered is read as the same scope', () => {
    fc.assert(
      fc.property(scopeList, scopeList, (a, b) => {
        for (const scope of intersectScopes(a, b)) {
          const again = parseScope(renderScope(scope), rules)
          expect(again && renderScope(again)).toBe(renderScope(scope))
        }
      }),
    )
  })

  test('no text makes the parser break', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map(text => `patient/Observation.rs?category=${text}`),
        ),
        text => {
          const scope = parseScope(text, rules)
          if (scope) expect(renderScope(scope)).toBe(text)
        },
      ),
    )
  })
})

test('every supported scope can be read', () => {
  const listed = supportedScopes(rules.definitions.resourceTypes, type => (type === 'AuditEvent' ? 'rs' : type === 'Binary' ? '' : 'crus'))
  expect(listed.filter(text => parseScope(text, rules) === undefined)).toEqual([])
  expect(new Set(listed).size).toBe(listed.length)
  expect(listed).toContain('patient/*.read')
  expect(listed).toContain('patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis')
  expect(listed).not.toContain('user/Binary.rs')
  expect(listed.filter(text => text.includes('AuditEvent'))).toEqual([
    'patient/AuditEvent.rs',
    'user/AuditEvent.rs',
    'system/AuditEvent.rs',
  ])
})
