import type { PatientsFilter } from '../../base/access-filter.ts'
import type { Dictionary } from './dictionary.ts'
import { patientType, relationKinds } from './relations.ts'
import { type Sql, sql } from './search/sql.ts'

/** What conditions on relations need: numbers of words, and the instant (ms) that relations are asked at. */
export type Asking = { readonly dictionary: Dictionary; readonly now: number }

/** Numbers of those whose relations are asked; none when no relation ever served any of them. */
export const servedNumbers = ({ from, of }: PatientsFilter, dictionary: Dictionary): readonly number[] => [
  ...new Set(of.flatMap(one => dictionary.served(relationKinds[from], one) ?? [])),
]

/** That a row `r` of `relation` serves one of them: one number is compared, more are looked for one after the other. */
export const serves = (numbers: readonly number[], r: Sql): Sql =>
  numbers.length === 1 ? sql`${r}.g = ${numbers[0] as number}` : sql`${r}.g in (select value from json_each(${JSON.stringify(numbers)}))`

/** That it holds at the instant. */
export const holds = ({ confirmed }: PatientsFilter, now: number, r: Sql): Sql => {
  const within = sql`ifnull(${r}.since <= ${now}, 1) and ifnull(${r}.until > ${now}, 1)`
  return confirmed === true ? sql`${within} and ${r}.self = 0` : within
}

/** From a patient's id along his instance `p` to his rows `r`: tables to join and what they must meet. Undefined when there can be none. */
export const standing = (
  filter: PatientsFilter,
  { dictionary, now }: Asking,
  r: Sql,
  p: Sql,
  id: Sql,
): { readonly from: Sql; readonly where: Sql } | undefined => {
  const t = dictionary.type(patientType)
  const numbers = servedNumbers(filter, dictionary)
  if (t === undefined || numbers.length === 0) return undefined
  return {
    from: sql`instance ${p} on ${p}.t = ${t} and ${p}.id = ${id} cross join relation ${r} on ${r}.patient = ${p}.iid`,
    where: sql`${serves(numbers, r)} and ${holds(filter, now, r)}`,
  }
}
