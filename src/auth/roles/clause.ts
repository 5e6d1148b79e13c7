import { areLetters } from '../letters.ts'
import type { Relation } from './role-table.ts'

/** `Procedure,ClinicalImpression cru@F if nursing`: types (all of the group when absent), letters, relation, conditions. */
export type Clause = {
  readonly types?: readonly string[]
  readonly letters: string
  readonly relation: Relation
  readonly conditions: readonly string[]
}

const clauseForm = /^(?:([A-Za-z0-9,]+) )?([a-z]+)(?:@([A-Z]))?(?: if ([a-z,-]+))?$/
const relations: ReadonlySet<string> = new Set(['A', 'F', 'C', 'Q', 'O', 'S'])

/** Undefined when the text is none. */
export const parseClause = (text: string): Clause | undefined => {
  const [, types, letters = '', relation, conditions] = clauseForm.exec(text) ?? []
  if (!areLetters(letters) || (relation !== undefined && !relations.has(relation))) return undefined
  return {
    ...(types !== undefined && { types: types.split(',') }),
    letters,
    relation: (relation ?? 'home') as Relation, // one of the set above
    conditions: conditions?.split(',') ?? [],
  }
}
