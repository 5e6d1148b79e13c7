import type { AccessFilter, PatientsFilter } from '../../base/access-filter.ts'
import { labelsDominate } from './labels.ts'
import { type Asking, standing } from './standing.ts'
import { always, every, never, not, type Sql, some, sql, word } from './search/sql.ts'

/**
 * An access filter as a condition on `i`, a row of `instance`: what its newest version says decides, for all its versions.
 * Entries of live versions stand in pat, own and aut; those of deletions in gone; labels of both in label.
 */
export const accessCondition = (filter: AccessFilter, i: Sql, asking: Asking): Sql => {
  switch (filter.op) {
    case 'all':
      return always
    case 'none':
      return never
    case 'and':
      return all(filter.of.map(part => accessCondition(part, i, asking)))
    case 'or':
      return some(filter.of.map(part => accessCondition(part, i, asking)))
    case 'not':
      return not(accessCondition(filter.of, i, asking))
    case 'ids':
      return sql`${i}.id in (select value from json_each(${JSON.stringify(filter.ids)}))`
    case 'patient':
      return filter.only === true ? all([oneOf(pat, [filter.id], i), not(anotherThan(filter.id, i))]) : oneOf(pat, [filter.id], i)
    case 'patientless':
      return not(some([sql`exists (select 1 from pat indexed by pat_f where seq = ${i}.seq)`, sql`exists (${goneOf(pat, i)})`]))
    case 'author':
      return oneOf({ table: word('aut'), column: word('author'), kind: 3 }, [filter.ref], i)
    case 'owner':
      return oneOf({ table: word('own'), column: word('org'), kind: 2 }, filter.organizations, i)
    case 'labels':
      return labelsDominate(filter, sql`${i}.seq`, asking.dictionary)
    case 'patients':
      return inRelation(filter, i, asking)
    case 'param':
    case 'consent':
      // To let nothing through would open everything behind a `not`.
      throw new Error(`No engine knows the filter ${filter.op}`)
  }
}

type Kept = { readonly table: Sql; readonly column: Sql; readonly kind: number }

const pat: Kept = { table: word('pat'), column: word('patient'), kind: 1 }

const all = (conditions: readonly Sql[]): Sql => {
  const joined = every(conditions)
  return joined === always || joined === never ? joined : sql`(${joined})`
}

const goneOf = ({ kind }: Kept, i: Sql): Sql => sql`select 1 from gone where gone.seq = ${i}.seq and gone.kind = ${kind}`

const oneOf = (kept: Kept, wanted: readonly string[], i: Sql): Sql =>
  sql`exists (select 1 from json_each(${JSON.stringify(wanted)}) wanted
    where exists (select 1 from ${kept.table} where ${kept.column} = wanted.value and t = ${i}.t and seq = ${i}.seq)
      or exists (${goneOf(kept, i)} and gone.value = wanted.value))`

const anotherThan = (id: string, i: Sql): Sql =>
  some([
    sql`exists (select 1 from pat indexed by pat_f where seq = ${i}.seq and patient <> ${id})`,
    sql`exists (${goneOf(pat, i)} and gone.value <> ${id})`,
  ])

const inRelation = (filter: PatientsFilter, i: Sql, asking: Asking): Sql => {
  const live = standing(filter, asking, word('held'), word('known'), word('kept.patient'))
  const gone = standing(filter, asking, word('held'), word('known'), word('gone.value'))
  if (live === undefined || gone === undefined) return never
  return some([
    sql`exists (select 1 from pat kept indexed by pat_f cross join ${live.from} where kept.seq = ${i}.seq and ${live.where})`,
    sql`exists (select 1 from gone cross join ${gone.from} where gone.seq = ${i}.seq and gone.kind = 1 and ${gone.where})`,
  ])
}
