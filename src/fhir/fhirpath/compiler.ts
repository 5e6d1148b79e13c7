import type { Definitions } from '../definitions/definitions.ts'
import type { StaticType } from './static-type.ts'
import type { Expression } from './tree.ts'
import type { Item, JsonObject, Walk } from './walk.ts'

/** Gives the walk that goes on behind results of one static type; called at compile time once per type that may come. */
export type Next = (type: StaticType) => Walk

/** A condition on one node in three-valued logic: undefined is FHIRPath's empty. */
export type Test = (node: unknown, resource: JsonObject) => boolean | undefined

/** What the files of this room, one per section of the FHIRPath specification, need from each other. compile.ts makes it. */
export type Compiler = {
  readonly definitions: Definitions
  /** Type of `%resource`. */
  readonly root: StaticType
  walk(expression: Expression, from: StaticType, next: Next): Walk
  items(expression: Expression, from: StaticType): (node: unknown, resource: JsonObject) => readonly Item[]
  test(expression: Expression, from: StaticType): Test
}

/** A function call with its focus written out (`$this` when it had none). */
export type Call = { readonly name: string; readonly of: Expression; readonly arguments: readonly Expression[] }

export type CompileCall = (call: Call, from: StaticType, next: Next, compiler: Compiler) => Walk

/** Thrown while compiling what only the fallback engine can run. */
export class Unsupported extends Error {}

export const oneArgument = (call: Call): Expression => {
  const [argument] = call.arguments
  if (!argument || call.arguments.length > 1) throw new Unsupported(`${call.name}() with ${call.arguments.length} arguments`)
  return argument
}
