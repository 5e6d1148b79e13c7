import type { Node } from '../../../search/tree.ts'
import { beginningWith, codeEntry, tokenEntry } from '../entries.ts'
import { type Filter, inside, never } from './filter.ts'
import { type LeafCompiler, points, ranges, type Words } from './leaf.ts'

type Token = Extract<Node, { op: 'token' }>

/** A code, with or without a system, is one entry and its documents come by seq; a system alone is a range of them. */
export const token: LeafCompiler<Token> = {
  traits: leaf => ({ ordered: leaf.code !== undefined, check: 0.8 }),
  entries(leaf, _type, words) {
    const entry = entryOf(leaf, words)
    if (entry !== undefined) return points('tk', [entry])
    const filter = anyCode(leaf, words)
    return filter === never ? [] : ranges('tk', [filter])
  },
  check(leaf, _type, words) {
    const entry = entryOf(leaf, words)
    return entry === undefined ? anyCode(leaf, words) : { 'ix.tk': entry }
  },
}

/** Undefined when no code is asked for, or nothing has the system. */
export const entryOf = ({ param, system, code }: Token, words: Words): string | undefined => {
  if (code === undefined) return undefined
  if (system === undefined) return codeEntry(param.code, code)
  const number = words.system(system)
  return number === undefined ? undefined : tokenEntry(param.code, number, code)
}

const anyCode = ({ param, system, code }: Token, words: Words): Filter => {
  if (system === undefined) return { 'ix.tk': inside(beginningWith(codeEntry(param.code, ''))) }
  const number = words.system(system)
  return number === undefined || code !== undefined ? never : { 'ix.tk': inside(beginningWith(tokenEntry(param.code, number, ''))) }
}
