import type { Node, RangeTest } from '../../../search/tree.ts'
import { isEmpty, type Window, windowOf } from '../../seq-window.ts'
import { everything } from '../entries.ts'
import { always, type Filter, never, some } from './filter.ts'
import type { LeafCompiler } from './leaf.ts'

/** `_lastUpdated` is the millisecond of the seq, so its tests are ranges of seqs. */
export const lastUpdated: LeafCompiler<Extract<Node, { op: 'lastUpdated' }>> = {
  traits: () => ({ ordered: true, check: 0.1 }),
  entries: ({ test }) => windowsOf(test).map(window => ({ index: 'tk', points: [everything], window })),
  check: ({ test }) => holds(test),
}

const holds = (test: RangeTest): Filter => some(windowsOf(test).map(within))

const windowsOf = (test: RangeTest): readonly Window[] => {
  if (test.prefix !== 'ne') return [windowOf(test)]
  const { from, before } = windowOf({ ...test, prefix: 'eq' })
  return [...(from === undefined ? [] : [{ before: from }]), ...(before === undefined ? [] : [{ from: before }])]
}

export const within = (window: Window): Filter => {
  if (isEmpty(window)) return never
  const { from, before } = window
  if (from === undefined && before === undefined) return always
  return { seq: { ...(from === undefined ? {} : { $gte: from }), ...(before === undefined ? {} : { $lt: before }) } }
}
