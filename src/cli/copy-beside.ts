import { isDeepStrictEqual } from 'node:util'
import { besideOrder, besideTextMax } from '../storage/beside-order.ts'
import type { Beside, LoadedBeside, Store } from '../storage/port.ts'
import { orThrow } from './copy-failure.ts'

type Source = Pick<Store, 'beside' | 'blobs'>
type Target = Pick<Store, 'beside' | 'loadBeside'>

/** Rows that differ, as they go by: what the target lacks or has otherwise, and what it has too many. */
type Difference = { readonly row: Beside; readonly inSource: boolean }

const rowsAtOnce = 500

/** Makes what lies beside the versions the same, reading both sides in one order. Returns how many rows were written or removed. */
export const copyBeside = async (
  source: Source,
  target: Target,
  isOwn: (row: Beside) => boolean,
  tell: (rows: number) => void,
): Promise<number> => {
  const writer = new RowWriter(target)
  let changed = 0
  for await (const { row, inSource } of differences(source, target, isOwn)) {
    if (!inSource) await writer.add(gone(row))
    else if (row.kind !== 'blob') await writer.add(row)
    else if (!(await copyBlob(row, source, writer))) continue
    tell(++changed)
  }
  await writer.flush()
  return changed
}

/** How many rows differ, and how many there are in the source. */
export const compareBeside = async (
  source: Source,
  target: Target,
  isOwn: (row: Beside) => boolean,
): Promise<{ readonly rows: number; readonly different: number }> => {
  let [rows, different] = [0, 0]
  const counted = { beside: () => counting(source.beside(), isOwn, n => (rows += n)) }
  for await (const _ of differences(counted, target, isOwn)) different++
  return { rows, different }
}

async function* counting(blocks: AsyncIterable<readonly Beside[]>, isOwn: (row: Beside) => boolean, count: (rows: number) => void) {
  for await (const block of blocks) {
    count(block.filter(row => !isOwn(row)).length)
    yield block
  }
}

/** Both sides have one order, so that each is read once and never held. */
async function* differences(source: Pick<Store, 'beside'>, target: Target, isOwn: (row: Beside) => boolean): AsyncGenerator<Difference> {
  const wanted = rowsOf(source, isOwn)
  const there = rowsOf(target, isOwn)
  let [a, b] = [await nextOf(wanted), await nextOf(there)]
  while (a !== undefined || b !== undefined) {
    const order = a === undefined ? 1 : b === undefined ? -1 : besideOrder(a, b)
    if (a !== undefined && order <= 0) {
      if (order < 0 || !isDeepStrictEqual(a, b)) yield { row: a, inSource: true }
    } else if (b !== undefined) yield { row: b, inSource: false }
    if (order <= 0) a = await nextOf(wanted)
    if (order >= 0) b = await nextOf(there)
  }
}

async function* rowsOf(store: Pick<Store, 'beside'>, isOwn: (row: Beside) => boolean): AsyncGenerator<Beside> {
  for await (const block of store.beside()) for (const row of block) if (!isOwn(row)) yield row
}

const nextOf = async (rows: AsyncGenerator<Beside>): Promise<Beside | undefined> => {
  const { done, value } = await rows.next()
  return done === true ? undefined : value
}

/** False when it was removed meanwhile. */
const copyBlob = async (row: Extract<Beside, { kind: 'blob' }>, source: Source, writer: RowWriter): Promise<boolean> => {
  const found = await source.blobs.read(row.key)
  if (found === undefined) return false
  let n = 0
  for await (const bytes of found.bytes) await writer.add({ kind: 'part', key: row.key, n: n++, bytes })
  await writer.add(row)
  return true
}

const gone = (row: Beside): LoadedBeside => ({
  kind: row.kind,
  key: row.key,
  ...(row.kind === 'record' ? { record: row.record } : {}),
  gone: true,
})

/** Gathers rows, and writes them some hundreds or some MiB at once. */
class RowWriter {
  readonly #target: Target
  #rows: LoadedBeside[] = []
  #bytes = 0

  constructor(target: Target) {
    this.#target = target
  }

  async add(row: LoadedBeside): Promise<void> {
    this.#rows.push(row)
    this.#bytes += row.kind === 'part' ? row.bytes.length : 'text' in row ? row.text.length : 0
    if (this.#rows.length >= rowsAtOnce || this.#bytes >= besideTextMax) await this.flush()
  }

  async flush(): Promise<void> {
    const rows = this.#rows
    this.#rows = []
    this.#bytes = 0
    if (rows.length > 0) orThrow(await this.#target.loadBeside(rows))
  }
}
