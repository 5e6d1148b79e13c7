import type { PatientsFilter } from '../../../base/access-filter.ts'
import { holds, serves, servedNumbers, standing } from '../standing.ts'
import type { Arm, LeafCompiler } from './leaf.ts'
import type { Reading } from './reading.ts'
import { always, never, type Sql, sql } from './sql.ts'
import { ticking } from './ticking.ts'

/** A relation of so many patients is asked of each candidate: to begin with its patients would cost more than any page. */
export const drivingPatientsMax = 16_000
/** Whose entries are counted one patient after the other; those of more are guessed by a sample. */
const countedPatientsMax = 1_000

/** States about a patient in relation: from the patients to their entries, or from the candidate to its patients and theirs to whom they are cared by. */
export const related: LeafCompiler<{ readonly op: 'access'; readonly filter: PatientsFilter }> = {
  traits({ filter }, _type, reading) {
    const check = 1.5 + 0.6 * servedNumbers(filter, reading.dictionary).length
    const patients = reading.patients(filter)
    return patients > drivingPatientsMax
      ? { ordered: false, undrivable: true, check }
      : { ordered: false, check, visits: patients, sifts: true }
  },
  arms: ({ filter }, type, reading) => armsOf(filter, type, reading, r => holds(filter, reading.now, r)),
  check({ filter }, _type, seq, reading) {
    const x = reading.alias()
    const found = standing(filter, reading, reading.alias(), reading.alias(), sql`${x}.patient`)
    if (found === undefined) return never
    return sql`exists (select 1 from pat ${x} indexed by pat_f cross join ${found.from} where ${x}.seq = ${seq} and ${found.where})`
  },
  /** Whoever ever stood in it: estimates are remembered, the time goes on. */
  estimate: ({ filter }, type, reading) =>
    reading.patients(filter) > countedPatientsMax ? 'sample' : armsOf(filter, type, reading, () => always),
}

const armsOf = (filter: PatientsFilter, type: string, reading: Reading, asked: (r: Sql) => Sql): readonly Arm[] => {
  const t = reading.dictionary.type(type)
  const some = patientsOf(filter, reading, asked)
  if (t === undefined || some === undefined) return []
  const [j, p, x] = [reading.alias(), reading.alias(), reading.alias()]
  const from = sql`(${some}) ${j} cross join instance ${p} on ${p}.iid = ${j}.patient cross join pat ${x}`
  // A version about two of the patients is met twice.
  return [
    {
      from,
      where: sql`${ticking(sql`${j}.patient`)} and ${x}.patient = ${p}.id and ${x}.t = ${t}`,
      seq: sql`${x}.seq`,
      unique: false,
      sieve: sql`${x}.sieve`,
      ticks: true,
    },
  ]
}

/** Numbers of the patients, each once; undefined when there can be none. */
export const patientsOf = (
  filter: PatientsFilter,
  reading: Pick<Reading, 'dictionary' | 'alias'>,
  asked: (r: Sql) => Sql,
): Sql | undefined => {
  const numbers = servedNumbers(filter, reading.dictionary)
  if (numbers.length === 0) return undefined
  const r = reading.alias()
  const also = asked(r)
  return sql`select distinct ${r}.patient from relation ${r} where ${serves(numbers, r)}${also === always ? sql`` : sql` and ${also}`}`
}
