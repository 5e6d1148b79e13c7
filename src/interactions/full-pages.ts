import { type Deadline, isOver } from '../base/deadline.ts'
import { fail, type Outcome, ok } from '../base/outcome.ts'

/** Rows as a store gives them, in forward order. */
export type Rows<R> = { readonly rows: readonly R[]; readonly more: boolean }

/** How rows are asked for and which of them stay. `from`: the row that the page begins after, of those asked before. */
export type Filling<R> = {
  readonly limit: number
  readonly backward: boolean
  readonly deadline: Deadline
  ask(from: R | undefined, limit: number): Promise<Outcome<Rows<R>>>
  keep(rows: readonly R[]): Promise<readonly R[]>
}

const askedAtOnceMax = 1_000

/**
 * A full page of rows that must be looked at one by one, because the store knows only some of the words by which they are judged: rows are judged before
 * the page is cut, and asked for until it is full. Fails `too-costly` when the deadline ends first.
 */
export const fullPage = async <R>({
  limit,
  backward,
  deadline,
  ask,
  keep,
}: Filling<R>): Promise<Outcome<Rows<R> & { readonly all: boolean }>> => {
  let kept: readonly R[] = []
  let from: R | undefined
  let all = true
  for (let wanted = limit; ; wanted = Math.min(askedAtOnceMax, wanted * 2)) {
    const page = await ask(from, wanted)
    if (!page.ok) return page
    const { rows, more } = page.value
    const passing = await keep(rows)
    all &&= passing.length === rows.length
    kept = backward ? [...passing, ...kept] : [...kept, ...passing]
    if (kept.length > limit) return ok({ rows: backward ? kept.slice(-limit) : kept.slice(0, limit), more: true, all })
    if (!more || kept.length === limit) return ok({ rows: kept, more, all })
    from = backward ? rows[0] : rows.at(-1)
    if (isOver(deadline)) return fail('too-costly', { parameter: '_count' })
  }
}
