import type { Definitions, ElementType, Member } from '../definitions/definitions.ts'

/** What the compiler knows of every value at one place of an expression. */
export type StaticType = {
  /** FHIR type code (`Coding`, `code`, `BackboneElement`), or `System.Boolean` and kin for computed values. */
  readonly code: string
  /** Where its members are found: the type's name, or for a backbone its element path. */
  readonly within: string
  /** Path of the element it was read from (`Patient.gender`), of a whole resource its type. */
  readonly path?: string
  /** A code's system, where its required binding includes just one. */
  readonly system?: string
  readonly primitive: boolean
}

export const systemType = (name: 'Boolean' | 'String' | 'Integer' | 'Decimal'): StaticType => ({
  code: `System.${name}`,
  within: '',
  primitive: true,
})

export const resourceType = (name: string): StaticType => ({ code: name, within: name, path: name, primitive: false })

export const memberType = (member: Member, definitions: Definitions): StaticType => {
  const { element, type, within } = member
  const code = type?.code ?? 'BackboneElement'
  const system = code === 'code' && element.binding?.strength === 'required' ? definitions.codeSystem(element.binding.valueSet) : undefined
  return { code, within, path: element.path, ...(system !== undefined && { system }), primitive: isPrimitive(type, definitions) }
}

const isPrimitive = (type: ElementType | undefined, definitions: Definitions): boolean =>
  type !== undefined && definitions.type(type.code)?.kind === 'primitive'

/** Resources whose type is only known from the value: contained ones, entries of a Bundle. */
export const isAbstractResource = ({ code }: StaticType): boolean => code === 'Resource' || code === 'DomainResource'
