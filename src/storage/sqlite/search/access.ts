import { confidentialityLevels } from '../../../base/access-filter.ts'
import type { Access } from '../../../search/plan.ts'
import { labelsDominate, normal } from '../labels.ts'
import type { LeafCompiler } from './leaf.ts'
import type { Reading } from './reading.ts'
import { related } from './related.ts'
import { every, never, not, type Sql, some, sql, word } from './sql.ts'

type FilterOf<K extends Access['filter']['op']> = Extract<Access['filter'], { readonly op: K }>
/** One word of the language, asked of entries that are clustered by whom, type and seq; or of each candidate. */
type Word<K extends Access['filter']['op']> = LeafCompiler<{ readonly op: 'access'; readonly filter: FilterOf<K> }>

type Entry = {
  readonly table: Sql
  readonly column: Sql
  readonly value: string
  /** Entries tell of the tokens of their version. */
  readonly sifts?: true
  /** What the version at `seq` must meet besides. */
  readonly also?: (seq: Sql, reading: Reading) => Sql
}

const byEntries = <K extends Access['filter']['op']>(
  entriesOf: (filter: FilterOf<K>) => readonly Entry[],
): Pick<Word<K>, 'arms' | 'check'> => {
  const among = ({ table, column, value, also, sifts }: Entry, t: number, seq: Sql | undefined, reading: Reading) => {
    const x = reading.alias()
    const own =
      seq === undefined
        ? sql`${x}.${column} = ${value} and ${x}.t = ${t}`
        : sql`${x}.${column} = ${value} and ${x}.t = ${t} and ${x}.seq = ${seq}`
    const where = also === undefined ? own : every([own, also(sql`${x}.seq`, reading)])
    return { from: sql`${table} ${x}`, where, seq: sql`${x}.seq`, unique: true, ...(sifts && { sieve: sql`${x}.sieve` }) }
  }
  return {
    arms({ filter }, type, reading) {
      const t = reading.dictionary.type(type)
      return t === undefined ? [] : entriesOf(filter).map(entry => among(entry, t, undefined, reading))
    },
    check({ filter }, type, seq, reading) {
      const t = reading.dictionary.type(type)
      if (t === undefined) return never
      return some(
        entriesOf(filter).map(entry => {
          const { from, where } = among(entry, t, seq, reading)
          return sql`exists (select 1 from ${from} where ${where})`
        }),
      )
    },
  }
}

const patientAt = (seq: Sql, reading: Reading, other?: string): Sql => {
  const x = reading.alias()
  const but = other === undefined ? word('') : sql` and ${x}.patient <> ${other}`
  return sql`exists (select 1 from pat ${x} indexed by pat_f where ${x}.seq = ${seq}${but})`
}

const patient: Word<'patient'> = {
  traits: ({ filter }) => ({ ordered: true, check: filter.only === true ? 1.2 : 0.7, sifts: true }),
  ...byEntries(({ id, only }) => [
    {
      table: word('pat'),
      column: word('patient'),
      value: id,
      sifts: true,
      ...(only === true ? { also: (seq: Sql, reading: Reading) => not(patientAt(seq, reading, id)) } : {}),
    },
  ]),
}

const author: Word<'author'> = {
  traits: () => ({ ordered: true, check: 0.7 }),
  ...byEntries(({ ref }) => [{ table: word('aut'), column: word('author'), value: ref }]),
}

const owner: Word<'owner'> = {
  traits: ({ filter }) => ({ ordered: filter.organizations.length <= 8, check: 0.7 * filter.organizations.length }),
  ...byEntries(({ organizations }) => organizations.map(value => ({ table: word('own'), column: word('org'), value }))),
}

const patientless: Word<'patientless'> = {
  traits: () => ({ ordered: true, check: 0.5 }),
  arms(_leaf, type, reading) {
    const t = reading.dictionary.type(type)
    if (t === undefined) return []
    const x = reading.alias()
    return [{ from: sql`nobody ${x}`, where: sql`${x}.t = ${t}`, seq: sql`${x}.seq`, unique: true }]
  },
  check: (_leaf, _type, seq, reading) => not(patientAt(seq, reading)),
}

/** Without entries: most of a type pass, and a seek that finds nothing tells. */
const labels: Word<'labels'> = {
  traits: ({ filter }) => ({ ordered: false, undrivable: true, check: confidentialityLevels[filter.max] < normal ? 1 : 0.5 }),
  arms: () => [],
  check: ({ filter }, _type, seq, reading) => labelsDominate(filter, seq, reading.dictionary),
  estimate: () => 'sample',
}

const words: { readonly [K in Access['filter']['op']]: Word<K> } = { patient, patientless, author, owner, labels, patients: related }

// A filter always meets the compiler of its own word; the compiler of types cannot follow that through the table.
const wordOf = ({ filter }: Access): LeafCompiler<Access> => words[filter.op] as unknown as LeafCompiler<Access>

export const access: LeafCompiler<Access> = {
  traits: (leaf, type, reading) => wordOf(leaf).traits(leaf, type, reading),
  arms: (leaf, type, reading) => wordOf(leaf).arms(leaf, type, reading),
  check: (leaf, type, seq, reading) => wordOf(leaf).check?.(leaf, type, seq, reading) ?? never,
  estimate: (leaf, type, reading, holders) =>
    wordOf(leaf).estimate?.(leaf, type, reading, holders) ?? wordOf(leaf).arms(leaf, type, reading),
}
