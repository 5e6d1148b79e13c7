import type { Driver, Plain, Plan, Probe, Source } from './plan.ts'
import { nameOf } from './planner.ts'

/** The plan for people: what was asked, what drives, what is asked of each candidate, what else was weighed. Names of parameters, never values. */
export const planLines = (plan: Plan): readonly string[] => [
  `${plan.type}: about ${plan.matches} matches, ${Math.round(plan.visits)} entries visited, ${Math.round(plan.cost)} µs, ${
    plan.order === 'driver' ? 'in the order of the driver' : 'gathered and sorted'
  }`,
  ...treeLines(plan.where, 1),
  ...plan.candidates.map(({ driver, entries, visits, cost }) => `  candidate ${driver}: ${entries} entries, ${visits} visited, ${cost} µs`),
  ...sourceLines(plan.source, 1),
  ...(plan.rest ? ['  then those without a value to sort by:', ...sourceLines(plan.rest.source, 2)] : []),
]

const treeLines = (node: Plain, depth: number): readonly string[] => {
  switch (node.op) {
    case 'and':
    case 'or':
      return [line(depth, node.op), ...node.of.flatMap(one => treeLines(one, depth + 1))]
    case 'not':
      return [line(depth, 'not'), ...treeLines(node.of, depth + 1)]
    case 'chain':
      return [line(depth, leafText(node)), ...node.of.flatMap(({ type, where }) => [line(depth + 1, type), ...treeLines(where, depth + 2)])]
    case 'reverse':
      return [line(depth, leafText(node)), ...treeLines(node.of.where, depth + 1)]
    case 'list':
      return [line(depth, `list of ${node.of.length} ${nameOf(node)}`)]
    case 'all':
    case 'none':
      return [line(depth, node.op)]
    default:
      return [line(depth, leafText(node))]
  }
}

const sourceLines = (source: Source, depth: number): readonly string[] => [
  line(depth, `driver ${driverText(source.driver)}`),
  ...(source.driver.by === 'union' ? source.driver.of.flatMap(one => sourceLines(one, depth + 1)) : []),
  ...(source.driver.by === 'inner'
    ? source.driver.inner.flatMap(one => [line(depth + 1, `inner ${one.type}`), ...sourceLines(one, depth + 2)])
    : []),
  ...source.window.map(() => line(depth, 'window _lastUpdated')),
  ...source.probes.flatMap(probe => probeLines(probe, depth)),
]

const driverText = (driver: Driver): string => {
  switch (driver.by) {
    case 'entries':
      return leafText(driver.node)
    case 'union':
      return `union of ${driver.of.length}`
    case 'type':
      return 'type by seq'
    case 'sort':
      return `sort by ${driver.key.code}${driver.key.descending ? ' descending' : ''}`
    case 'inner':
      return `${driver.node.op} ${nameOf(driver.node)}, inner first`
  }
}

const probeLines = (probe: Probe, depth: number): readonly string[] => {
  switch (probe.how) {
    case 'check':
      return [line(depth, `probe ${leafText(probe.node)}`)]
    case 'set':
      return [line(depth, `probe ${leafText(probe.node)}, gathered`)]
    case 'any':
    case 'every':
      return [line(depth, `probe ${probe.how}`), ...probe.of.flatMap(one => probeLines(one, depth + 1))]
    case 'not':
      return [line(depth, 'probe not'), ...probeLines(probe.of, depth + 1)]
    case 'follow':
      return [
        line(depth, `probe ${probe.node.op} ${nameOf(probe.node)}, each`),
        ...probe.inner.flatMap(list => list.flatMap(one => probeLines(one, depth + 1))),
      ]
    case 'inner':
      return [
        line(depth, `probe ${probe.node.op} ${nameOf(probe.node)}, inner gathered`),
        ...probe.inner.flatMap(one => sourceLines(one, depth + 1)),
      ]
  }
}

const leafText = (node: Plain): string => `${node.op} ${nameOf(node)}`
const line = (depth: number, text: string): string => '  '.repeat(depth) + text
