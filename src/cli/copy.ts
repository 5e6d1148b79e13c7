import type { Clock } from '../base/clock.ts'
import type { Limits } from '../base/limits.ts'
import type { Indexer } from '../search/request.ts'
import type { Store } from '../storage/port.ts'
import { firstSeqOf } from '../storage/sequence.ts'
import { admit, isMark, noteEnd } from './copy-admission.ts'
import { compareBeside, copyBeside } from './copy-beside.ts'
import { checkCopy, type TypeCheck } from './copy-check.ts'
import { copyVersions } from './copy-versions.ts'
import { exitCodes } from './exit-codes.ts'
import { createProgress, type Step } from './progress.ts'
import { report, type Terminal } from './terminal.ts'

/** Two open stores and what it takes to index anew. */
export type CopyParts = {
  readonly source: Store
  readonly target: Store
  /** Where the source is, as people may see it. */
  readonly from: string
  readonly index: Indexer
  readonly limits: Pick<Limits, 'depthMax'>
}

/**
 * `simpul copy`: a whole store into another, of whatever engine: all versions as they are, then what lies beside them; then both are read and compared.
 * Run again it goes on where it was, and takes along what came since. What is written to the source meanwhile comes with the next run.
 */
export const copyStore = async (parts: CopyParts, terminal: Terminal, clock: Clock): Promise<number> => {
  const { source, target } = parts
  const after = await admit(source, target, parts.from, clock())
  // What another node may still commit lies beyond it.
  const upTo = firstSeqOf((await source.horizon()) + 1) - 1
  const versions = await copyVersions(parts, { after, upTo }, progressOf('versions', after, upTo, terminal, clock))
  const rowsTold = createProgress('copy', terminal, clock)
  const rows = await copyBeside(source, target, isMark, count => rowsTold({ done: 0, total: 0, count, unit: 'rows beside' }))
  const types = await checkCopy(source, target, upTo, progressOf('versions checked', 0, upTo, terminal, clock))
  const beside = await compareBeside(source, target, isMark)
  for (const one of types) tellType(one, terminal)
  report(terminal, { beside: beside.rows, same: beside.different === 0 }, `${'beside'.padEnd(typeWidth)}${count(beside.rows)} rows`)
  terminal.err(`${count(versions)} versions and ${count(rows)} rows beside them were copied or brought up to date.`)
  return verdict(types, beside.different, target, terminal, clock)
}

const verdict = async (
  types: readonly TypeCheck[],
  different: number,
  target: Store,
  terminal: Terminal,
  clock: Clock,
): Promise<number> => {
  const wrong = types.filter(({ same }) => !same)
  for (const { type, source, target: there } of wrong)
    terminal.err(
      `${type} is not the same: ${count(source.versions)} versions, ${count(source.live)} live in the source, ` +
        `${count(there.versions)} and ${count(there.live)} in the target${source.sha256 === there.sha256 ? '' : ', and their digests differ'}.`,
    )
  if (wrong.length > 0) {
    terminal.err('Copy into an empty store. If it happens again, report it.')
    return exitCodes.failed
  }
  await noteEnd(target, clock())
  if (different === 0) {
    terminal.err('The copy is whole: counts and digests of both stores are equal.')
    return exitCodes.good
  }
  terminal.err(`${count(different)} rows beside the versions were changed in the source meanwhile. Run the same again once it rests.`)
  return exitCodes.incomplete
}

const typeWidth = 30

const tellType = ({ type, source, same }: TypeCheck, terminal: Terminal): void =>
  report(
    terminal,
    { type, ...source, same },
    `${type.padEnd(typeWidth)}${count(source.versions)} versions  ${count(source.live)} live  sha256 ${source.sha256.slice(0, 16)}  ${same ? 'same' : 'DIFFERENT'}`,
  )

const count = (n: number): string => n.toLocaleString('en')

/** How many versions there are nobody knows before they are read: the way there is told by their seqs, which is by time. */
const progressOf = (
  unit: string,
  after: number,
  upTo: number,
  terminal: Terminal,
  clock: Clock,
): ((versions: number, seq: number) => void) => {
  const progress: (step: Step) => void = createProgress('copy', terminal, clock)
  let first = after
  return (versions, seq) => {
    if (first === 0) first = seq
    progress({ done: seq - first, total: upTo - first, count: versions, unit })
  }
}
