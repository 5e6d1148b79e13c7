import type { Definitions } from '../../fhir/definitions/definitions.ts'

/** Whether a parameter of the type may have several values in one resource. */
export type Repeats = (type: string, code: string) => boolean

/** Types whose one value gives one value to sort by, or none. Names, addresses, concepts and contact points give several. */
const singleTypes: ReadonlySet<string> = new Set(
  `boolean code id string markdown uri url canonical oid uuid Coding Identifier Reference
   date dateTime instant Period Timing
   integer positiveInt unsignedInt decimal Range Ratio Money Quantity Age Count Distance Duration SimpleQuantity MoneyQuantity`.split(
    /\s+/,
  ),
)

/**
 * Whether a parameter may have several values in one resource: not so only where its expression is one plain path of elements that occur
 * at most once (`Patient.birthDate`). In doubt it may. Without definitions every parameter may.
 */
export const repeatsBy = (definitions: Definitions | undefined): Repeats => {
  if (definitions?.searchParameters === undefined) return () => true
  const known = new Map<string, boolean>()
  return (type, code) => {
    const name = `${type} ${code}`
    const remembered = known.get(name)
    if (remembered !== undefined) return remembered
    const repeats = !isSingle(definitions, type, code)
    // Types and codes are those of the definitions, but what a plan says is not checked against them.
    if (known.size < 10_000) known.set(name, repeats)
    return repeats
  }
}

const isSingle = (definitions: Definitions, type: string, code: string): boolean => {
  const expression = definitions.searchParameters(type).get(code)?.expression ?? ''
  const paths = expression.split('|').flatMap(text => (speaksOf(text, type) ? [text.trim()] : []))
  const [path, second] = paths
  return path !== undefined && second === undefined && /^\w+(\.\w+)+$/.test(path) && occursOnce(definitions, type, path)
}

const speaksOf = (text: string, type: string): boolean =>
  text.split(/[^\w.]+/).some(word => [type, 'Resource', 'DomainResource'].includes(word.split('.', 1)[0] ?? ''))

const occursOnce = (definitions: Definitions, type: string, path: string): boolean => {
  const [, ...steps] = path.split('.')
  let within = type
  for (const [at, step] of steps.entries()) {
    const element = elementOf(definitions, within, step)
    if (element?.max !== 1) return false
    if (at === steps.length - 1) return element.types.length > 0 && element.types.every(({ code }) => singleTypes.has(code))
    const [only, other] = element.types
    if (only === undefined || other !== undefined) return false
    within = definitions.member(within, step)?.within ?? only.code
  }
  return false
}

/** A choice has no member of its own name. */
const elementOf = (definitions: Definitions, within: string, name: string) => {
  const member = definitions.member(within, name)
  if (member !== undefined) return member.element
  for (const { element } of definitions.members(within).values()) if (element.choice && element.name === name) return element
  return undefined
}
