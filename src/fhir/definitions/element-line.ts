import type { ElementType } from './definitions.ts'

/**
 * An element of the generated model as one line, because one string is parsed several times faster than the object it stands for, and a
 * start should pay only for the types that it uses:
 *
 *     gender 0..1 code summary required=http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1
 *     contact.organization 0..1 Reference(Organization) !pat-1
 *     deceased[x] 0..1 boolean|dateTime modifier summary
 *     component.referenceRange 0..* @Observation.referenceRange
 *
 * Name with the steps from its type, cardinality, types with targets in `()` and profiles in `{}` (or `@` and a contentReference), flags,
 * binding as strength=valueSet, invariants behind `!`.
 */
export type ElementLine = {
  /** From the type down, a choice with `[x]`. */
  readonly steps: readonly string[]
  readonly min: number
  readonly max: number
  readonly types: readonly ElementType[]
  readonly contentReference?: string
  readonly binding?: { readonly strength: Strength; readonly valueSet: string }
  readonly modifier: boolean
  readonly summary: boolean
  readonly invariants: readonly string[]
}

type Strength = 'required' | 'extensible' | 'preferred' | 'example'

export const writeElementLine = (element: ElementLine): string => {
  const { steps, min, max, types, contentReference, binding, modifier, summary, invariants } = element
  return [
    steps.join('.'),
    `${min}..${max === Number.POSITIVE_INFINITY ? '*' : max}`,
    contentReference === undefined ? types.map(writeType).join('|') : `@${contentReference}`,
    ...(modifier ? ['modifier'] : []),
    ...(summary ? ['summary'] : []),
    ...(binding ? [`${binding.strength}=${binding.valueSet}`] : []),
    ...invariants.map(key => `!${key}`),
  ].join(' ')
}

const writeType = ({ code, targets, profiles }: ElementType): string =>
  code + (targets ? `(${targets.join(',')})` : '') + (profiles ? `{${profiles.join(',')}}` : '')

export const readElementLine = (line: string): ElementLine => {
  const [name = '', cardinality = '', types = '', ...rest] = line.split(' ')
  const [min, max] = cardinality.split('..')
  const bound = rest.find(word => word.includes('='))
  const content = types.startsWith('@') ? types.slice(1) : undefined
  return {
    steps: name.split('.'),
    min: Number(min),
    max: max === '*' ? Number.POSITIVE_INFINITY : Number(max),
    types: content === undefined ? types.split('|').map(readType) : [],
    ...(content !== undefined && { contentReference: content }),
    ...(bound !== undefined && { binding: readBinding(bound) }),
    modifier: rest.includes('modifier'),
    summary: rest.includes('summary'),
    invariants: rest.filter(word => word.startsWith('!')).map(word => word.slice(1)),
  }
}

const readType = (text: string): ElementType => {
  const code = /^[^({]+/.exec(text)?.[0] ?? ''
  const targets = /\(([^)]*)\)/.exec(text)?.[1]
  const profiles = /\{([^}]*)\}/.exec(text)?.[1]
  return {
    code,
    ...(targets !== undefined && { targets: targets.split(',') }),
    ...(profiles !== undefined && { profiles: profiles.split(',') }),
  }
}

const readBinding = (text: string): { readonly strength: Strength; readonly valueSet: string } => {
  const equals = text.indexOf('=')
  return { strength: text.slice(0, equals) as Strength, valueSet: text.slice(equals + 1) } // as the build wrote it
}
