import type { Chain, Probe, Reverse, Source } from '../../../search/plan.ts'
import { narrowest, type Window, windowOf } from '../../seq-window.ts'
import { within } from './last-updated.ts'
import type { Arm } from './leaf.ts'
import { checkOf, entriesOf } from './nodes.ts'
import { currentSeq, type Reading, undead } from './reading.ts'
import { sifting } from './sifting.ts'
import { walkOf } from './sort.ts'
import { always, every, exists, join, never, not, type Sql, some, sql, word } from './sql.ts'
import { ticking } from './ticking.ts'

/** SQLite joins at most 500 selects; more are nested. */
const compoundMax = 200

/** The entries of a plan's source with everything asked of them. Several arms can meet the same version; an arm says whether it alone can. */
export const armsOf = (source: Source, bounds: Window, reading: Reading, more: readonly Probe[] = []): readonly Arm[] => {
  const window = narrowest([bounds, ...source.window.map(({ test }) => windowOf(test))])
  const probes = [...source.probes, ...more]
  // The probes of the whole are asked of each alternative, so that each arm comes in order and lazily.
  if (source.driver.by === 'union') return source.driver.of.flatMap(one => armsOf(one, window, reading, probes))
  return driverArms(source, reading)
    .map(arm => ({ ...arm, where: conditions(arm, source.type, window, probes, reading) }))
    .filter(arm => arm.where !== never)
}

export const conditions = (
  arm: Pick<Arm, 'where' | 'seq' | 'sieve' | 'ticks'>,
  type: string,
  window: Window,
  probes: readonly Probe[],
  reading: Reading,
): Sql =>
  every([
    arm.where,
    within(window, arm.seq),
    ...timed(arm, arm.sieve === undefined ? [] : sifting(probes, arm.sieve, reading)),
    undead(arm.seq, reading),
    ...probes.map(probe => inTurn(compileProbe(probe, type, arm.seq, reading))),
  ])

const timed = ({ seq, ticks }: Pick<Arm, 'seq' | 'ticks'>, sifted: readonly Sql[]): readonly Sql[] =>
  ticks === true ? [...sifted, ticking(seq)] : [ticking(seq), ...sifted]

/**
 * Probes are asked in the planner's order. A bare `exists` SQLite would make a join of, which comes after all that it cannot make one of (a lack, a path
 * of several tables), however dear that is.
 */
const inTurn = (probe: Sql): Sql => (/^\(*exists /.test(probe.text) ? sql`(${probe}) is 1` : probe)

const driverArms = ({ driver, type }: Source, reading: Reading): readonly Arm[] => {
  switch (driver.by) {
    case 'entries':
      return entriesOf(driver.node, type, reading)
    case 'type':
      return typeArms(type, reading)
    case 'sort': {
      const walk = walkOf(driver.key, type, reading)
      return walk ? [{ ...walk, unique: true }] : []
    }
    case 'inner':
      return driver.node.op === 'chain' ? referrers(driver.node, driver.inner, reading) : targets(driver.node, driver.inner, type, reading)
    case 'union':
      return []
  }
}

const typeArms = (type: string, reading: Reading): readonly Arm[] => {
  const t = reading.dictionary.type(type)
  if (t === undefined) return []
  const x = reading.alias()
  return [{ from: sql`live ${x} indexed by live_t`, where: sql`${x}.t = ${t}`, seq: sql`${x}.seq`, unique: true }]
}

/** Chain, inner first: who refers to the inner matches. */
const referrers = (node: Chain, inner: readonly Source[], reading: Reading): readonly Arm[] => {
  const p = reading.dictionary.param(node.param.type, node.param.code)
  const found = instancesOf(inner, reading)
  if (p === undefined || found === undefined) return []
  const j = reading.alias()
  const x = reading.alias()
  return [
    {
      from: sql`(${found}) ${j} cross join ref ${x}`,
      where: sql`${x}.p = ${p} and ${x}.iid = ${j}.iid`,
      seq: sql`${x}.seq`,
      unique: false,
    },
  ]
}

/** Reverse chain, inner first: to whom the inner matches refer. */
const targets = (node: Reverse, inner: readonly Source[], type: string, reading: Reading): readonly Arm[] => {
  const t = reading.dictionary.type(type)
  const found = referredBy(node, inner, reading)
  if (t === undefined || found === undefined) return []
  const j = reading.alias()
  const i = reading.alias()
  const x = reading.alias()
  const from = sql`(${found}) ${j} cross join instance ${i} on ${i}.iid = ${j}.iid cross join live ${x} on ${x}.seq = ${currentSeq(i, reading)}`
  return [{ from, where: sql`${i}.t = ${t}`, seq: sql`${x}.seq`, unique: true }]
}

const snapshotWindow = ({ snapshotSeq }: Reading): Window => (snapshotSeq === undefined ? {} : { before: snapshotSeq + 1 })

/** Numbers of the instances that inner sources match; undefined when there can be none. */
const instancesOf = (inner: readonly Source[], reading: Reading): Sql | undefined =>
  unionOf(
    inner.flatMap(source => armsOf(source, snapshotWindow(reading), reading)),
    arm => {
      const l = reading.alias()
      return sql`select ${l}.iid as iid from ${arm.from} cross join live ${l} on ${l}.seq = ${arm.seq} where ${arm.where}`
    },
  )

const referredBy = (node: Reverse, inner: readonly Source[], reading: Reading): Sql | undefined => {
  const p = reading.dictionary.param(node.param.type, node.param.code)
  if (p === undefined) return undefined
  return unionOf(
    inner.flatMap(source => armsOf(source, snapshotWindow(reading), reading)),
    arm => {
      const r = reading.alias()
      return sql`select ${r}.iid as iid from ${arm.from} cross join ref ${r} indexed by ref_f on ${r}.seq = ${arm.seq} and ${r}.p = ${p} where ${arm.where}`
    },
  )
}

const unionOf = (arms: readonly Arm[], select: (arm: Arm) => Sql): Sql | undefined =>
  arms.length === 0 ? undefined : compound(arms.map(select), ' union ', word('iid'))

/** Selects joined; nested where there are more than SQLite joins. */
export const compound = (selects: readonly Sql[], by: ' union ' | ' union all ', name: Sql): Sql => {
  if (selects.length <= compoundMax) return selects.length === 1 && by === ' union ' ? distinct(selects[0] as Sql) : join(selects, by)
  const blocks: Sql[] = []
  for (let i = 0; i < selects.length; i += compoundMax)
    blocks.push(sql`select ${name} from (${join(selects.slice(i, i + compoundMax), by)})`)
  return compound(blocks, by, name)
}

const distinct = (select: Sql): Sql => ({ text: select.text.replace(/^select /, 'select distinct '), values: select.values })

/** Seqs of arms, for a look into them. */
const gathered = (arms: readonly Arm[]): Sql | undefined =>
  arms.length === 0
    ? undefined
    : compound(
        arms.map(arm => sql`select ${arm.seq} as seq from ${arm.from} where ${arm.where}`),
        ' union all ',
        word('seq'),
      )

export const compileProbe = (probe: Probe, type: string, seq: Sql, reading: Reading): Sql => {
  switch (probe.how) {
    case 'check':
      return checkOf(probe.node, type, seq, reading)
    case 'set': {
      const entries = gathered(entriesOf(probe.node, type, reading))
      // The plus keeps the set from becoming the driver.
      return entries ? sql`+${seq} in (${entries})` : never
    }
    case 'any':
      return some(probe.of.map(one => compileProbe(one, type, seq, reading)))
    case 'every': {
      const all = every(probe.of.map(one => compileProbe(one, type, seq, reading)))
      return all === always || all === never ? all : sql`(${all})`
    }
    case 'not':
      return not(compileProbe(probe.of, type, seq, reading))
    case 'follow':
      return probe.node.op === 'chain'
        ? followChain(probe.node, probe.inner, seq, reading)
        : followReverse(probe.node, probe.inner, seq, reading)
    case 'inner':
      return probe.node.op === 'chain'
        ? intoInner(probe.node, probe.inner, seq, reading)
        : amongTargets(probe.node, probe.inner, seq, reading)
  }
}

/** From the candidate along the reference to the version of the target that is current. */
const followChain = (node: Chain, inner: readonly (readonly Probe[])[], seq: Sql, reading: Reading): Sql => {
  const p = reading.dictionary.param(node.param.type, node.param.code)
  if (p === undefined) return never
  return some(
    node.of.map((part, n) => {
      const t = reading.dictionary.type(part.type)
      if (t === undefined) return never
      const r = reading.alias()
      const i = reading.alias()
      const x = reading.alias()
      const target = sql`${x}.seq`
      const asked = every([
        within(snapshotWindow(reading), target),
        ...(inner[n] ?? []).map(probe => inTurn(compileProbe(probe, part.type, target, reading))),
      ])
      const path = sql`ref ${r} indexed by ref_f cross join instance ${i} on ${i}.iid = ${r}.iid and ${i}.t = ${t}
        cross join live ${x} on ${x}.seq = ${currentSeq(i, reading)}`
      return exists(path, every([sql`${r}.seq = ${seq} and ${r}.p = ${p}`, asked]))
    }),
  )
}

const followReverse = (node: Reverse, inner: readonly (readonly Probe[])[], seq: Sql, reading: Reading): Sql => {
  const p = reading.dictionary.param(node.param.type, node.param.code)
  if (p === undefined) return never
  const o = reading.alias()
  const r = reading.alias()
  const referrer = sql`${r}.seq`
  const asked = every([
    within(snapshotWindow(reading), referrer),
    undead(referrer, reading),
    ...(inner[0] ?? []).map(probe => inTurn(compileProbe(probe, node.of.type, referrer, reading))),
  ])
  const path = sql`live ${o} cross join ref ${r} on ${r}.p = ${p} and ${r}.iid = ${o}.iid`
  return exists(path, every([sql`${o}.seq = ${seq}`, asked]))
}

const intoInner = (node: Chain, inner: readonly Source[], seq: Sql, reading: Reading): Sql => {
  const p = reading.dictionary.param(node.param.type, node.param.code)
  const found = instancesOf(inner, reading)
  if (p === undefined || found === undefined) return never
  const r = reading.alias()
  return sql`exists (select 1 from ref ${r} indexed by ref_f where ${r}.seq = ${seq} and ${r}.p = ${p} and +${r}.iid in (${found}))`
}

const amongTargets = (node: Reverse, inner: readonly Source[], seq: Sql, reading: Reading): Sql => {
  const found = referredBy(node, inner, reading)
  if (found === undefined) return never
  const o = reading.alias()
  return sql`exists (select 1 from live ${o} where ${o}.seq = ${seq} and +${o}.iid in (${found}))`
}
