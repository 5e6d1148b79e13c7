import { allLetters } from '../letters.ts'
import type { LettersOf } from './narrow.ts'

const levels = ['patient', 'user', 'system'] as const

const coreCategory = 'http://hl7.org/fhir/us/core/CodeSystem'
const hl7 = 'http://terminology.hl7.org/CodeSystem'

/** Granular scopes that are offered by name. @see https://hl7.org/fhir/us/core/STU6.1/scopes.html */
const granular: readonly (readonly [type: string, ...tokens: readonly string[]])[] = [
  [
    'Condition',
    `${hl7}/condition-category|encounter-diagnosis`,
    `${hl7}/condition-category|problem-list-item`,
    `${coreCategory}/condition-category|health-concern`,
  ],
  [
    'Observation',
    `${hl7}/observation-category|laboratory`,
    `${hl7}/observation-category|vital-signs`,
    `${hl7}/observation-category|social-history`,
    `${hl7}/observation-category|survey`,
    `${coreCategory}/us-core-category|sdoh`,
  ],
]

/**
 * `scopes_supported` of the discovery document. Each of them can be granted to someone: of a type it lists reading and, where a role may do
 * more, all that any role may do. `lettersOf` gives the letters that anybody may ever use of a type.
 * @see https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html
 */
export const supportedScopes = (types: readonly string[], lettersOf: LettersOf): readonly string[] => [
  'openid',
  'fhirUser',
  'profile',
  'launch',
  'launch/patient',
  'launch/encounter',
  'offline_access',
  'online_access',
  ...levels.flatMap(level => [
    `${level}/*.rs`,
    `${level}/*.cruds`,
    `${level}/*.read`,
    ...types.flatMap(type => typeScopes(type, lettersOf(type)).map(letters => `${level}/${type}.${letters}`)),
    ...granular.flatMap(([type, ...tokens]) =>
      types.includes(type) && lettersOf(type).includes('r') ? tokens.map(token => `${level}/${type}.rs?category=${token}`) : [],
    ),
  ]),
]

const typeScopes = (type: string, letters: string): readonly string[] => {
  const reading = allLetters([...letters].filter(letter => letter === 'r' || letter === 's'))
  return reading === '' ? [] : letters === reading || type === 'AuditEvent' ? [reading] : [reading, letters]
}
