import type { Otherwise } from '../../../search/plan.ts'
import { beginningWith, codeEntry, tokensOf } from '../entries.ts'
import { type Filter, inside } from './filter.ts'
import { type LeafCompiler, ranges, type Words } from './leaf.ts'
import { countOf, entriesOfShapes } from './shapes.ts'
import { entryOf } from './token.ts'
import { withoutSort } from './unsorted.ts'

/**
 * Whoever can lack the token: those with another entry before or behind it, and those without any (which have nothing to sort by either).
 * Some of them have the token besides, so it is still asked of each.
 */
export const otherwise: LeafCompiler<Otherwise> = {
  traits: () => ({ ordered: false }),
  entries: (leaf, type, words) => [
    ...ranges('tk', others(leaf, words)),
    ...entriesOfShapes(withoutSort(leaf.of.param.code, words.shapes(type))),
  ],
  check: () => {
    throw new Error('The lack of a token is asked as its opposite')
  },
  // Few without a value change no choice; many are known without counting.
  estimate(leaf, type, counters) {
    const without = countOf(withoutSort(leaf.of.param.code, counters.shapes(type)))
    return without > withoutFew ? without : undefined
  },
}

const withoutFew = 500

/** Entries of the parameter, but for the token's own: with their systems where it has one. */
export const others = ({ of }: Otherwise, words: Words): readonly Filter[] => {
  const { code } = of.param
  const all = beginningWith(of.system === undefined ? codeEntry(code, '') : tokensOf(code))
  const own = entryOf(of, words)
  if (own === undefined) return [{ 'ix.tk': inside(all) }]
  return [{ 'ix.tk': inside({ from: all.from, before: own }) }, { 'ix.tk': { $elemMatch: { $gt: own, $lt: all.before } } }]
}
