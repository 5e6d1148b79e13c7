import { type AccessFilter, confidentialityLevels } from '../../base/access-filter.ts'
import type { Dictionary } from './dictionary.ts'
import { type Sql, sql } from './search/sql.ts'

/** What has no row in `label` has this confidentiality. */
export const normal = confidentialityLevels.N

/** A sensitivity as `label` has it: numbered on behind the confidentialities. */
export const sensitivityLabel = (s: number): number => confidentialityLevels.V + s

/** Whether a clearance dominates the labels of the version at `seq`. What is normal has no row: one seek tells. */
export const labelsDominate = ({ max, allowed }: Extract<AccessFilter, { op: 'labels' }>, seq: Sql, dictionary: Dictionary): Sql => {
  const greatest = confidentialityLevels[max]
  const confidentialities = Object.values(confidentialityLevels).filter(level => level <= greatest)
  const sensitivities = allowed.flatMap(code => dictionary.sensitivity(code) ?? []).map(sensitivityLabel)
  const open = JSON.stringify([...confidentialities, ...sensitivities])
  const nothingElse = sql`not exists (select 1 from label where label.seq = ${seq} and label.w not in (select value from json_each(${open})))`
  if (greatest >= normal) return nothingElse
  return sql`(${nothingElse} and exists (select 1 from label where label.seq = ${seq} and label.w <= ${greatest}))`
}
