import type { Probe } from '../../../search/plan.ts'
import type { Node } from '../../../search/tree.ts'
import { sieveOf } from '../sieve.ts'
import { param } from './param.ts'
import type { Reading } from './reading.ts'
import { always, every, type Sql, some, sql } from './sql.ts'

/** Alternatives that are worth a look at the sieve: of many, some let nearly everything through. */
const alternativesMax = 8

/** What entries with a sieve tell of the probes before any of them is asked; nothing where no probe is about tokens. */
export const sifting = (probes: readonly Probe[], sieve: Sql, reading: Reading): readonly Sql[] =>
  probes.map(probe => mayPass(probe, sieve, reading)).filter(condition => condition !== always)

const mayPass = (probe: Probe, sieve: Sql, reading: Reading): Sql => {
  switch (probe.how) {
    case 'check':
    case 'set':
      return probe.node.op === 'token' ? mayHave(probe.node, sieve, reading) : always
    case 'every': {
      const all = every(probe.of.map(one => mayPass(one, sieve, reading)))
      return all === always ? always : sql`(${all})`
    }
    case 'any':
      return probe.of.length > alternativesMax ? always : some(probe.of.map(one => mayPass(one, sieve, reading)))
    default:
      return always
  }
}

/** Versions from before sieves were kept may have anything. */
const mayHave = ({ param: asked, code }: Extract<Node, { op: 'token' }>, sieve: Sql, reading: Reading): Sql => {
  const p = code === undefined ? undefined : param(asked, reading)
  if (p === undefined || code === undefined) return always
  const bits = sieveOf(p, code)
  return sql`ifnull(${sieve}, -1) & ${bits} = ${bits}`
}
