import { DatabaseSync } from 'node:sqlite'
import { blobStates } from './blob-writer.ts'
import { states } from './instances.ts'
import { readKeys } from './keys.ts'
import { normal, sensitivityLabel } from './labels.ts'
import { Sieve } from './sieve.ts'

/** Findings named at most; a broken store is broken after the first hundred. */
const findingsMax = 100

const valueTables = ['pat', 'own', 'aut', 'tok', 'str', 'dat', 'num', 'ref', 'cmp', 'cms'] as const
type ValueTable = (typeof valueTables)[number]

/**
 * Compares everything the store says twice: the file's own integrity, entries recorded against entries present, one indexed version per
 * live instance, exact counts, versions and their ends. Returns findings without values of records; none when the store is whole.
 * Reads every row: for a doctor and for tests, while nobody writes.
 */
export const deepCheck = (path: string): readonly string[] => {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    db.exec('BEGIN')
    return [...fileFindings(db), ...entryFindings(db), ...rules.flatMap(rule => ruleFindings(db, rule)), ...recordFindings(db)].slice(
      0,
      findingsMax,
    )
  } finally {
    db.close()
  }
}

/** What a store says of itself at a glance. Throws when the file is none. */
export const glanceAt = (path: string): { readonly migrations: number; readonly live: number } => {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    const row = db.prepare('SELECT (SELECT count(*) FROM migration) AS migrations, (SELECT sum(live) FROM shape) AS live').get()
    return { migrations: Number(row?.migrations), live: Number(row?.live ?? 0) }
  } finally {
    db.close()
  }
}

const fileFindings = (db: DatabaseSync): string[] =>
  db
    .prepare(`PRAGMA integrity_check(${findingsMax})`)
    .all()
    .map(row => String(Object.values(row)[0]))
    .filter(line => line !== 'ok')

/** A rule that no row may break; the query delivers those that do, as text. */
type Rule = { readonly what: string; readonly sql: string }

const rules: readonly Rule[] = [
  {
    what: 'a live instance without index entries',
    sql: `SELECT i.iid AS n FROM instance i LEFT JOIN live l ON l.seq = i.seq WHERE i.state = ${states.live} AND l.seq IS NULL`,
  },
  {
    what: 'an indexed version that is neither the newest of a live instance nor dead',
    sql: `SELECT l.seq AS n FROM live l JOIN instance i ON i.iid = l.iid
          WHERE (i.seq <> l.seq OR i.state <> ${states.live}) AND NOT EXISTS (SELECT 1 FROM dead WHERE dead.seq = l.seq)`,
  },
  {
    what: 'a newest version that counts as dead',
    sql: `SELECT d.seq AS n FROM dead d JOIN instance i ON i.seq = d.seq AND i.state = ${states.live}`,
  },
  {
    what: 'a dead version without entries',
    sql: 'SELECT seq AS n FROM dead WHERE NOT EXISTS (SELECT 1 FROM live WHERE live.seq = dead.seq)',
  },
  {
    what: 'a dead version whose end differs from that in its history',
    sql: 'SELECT d.seq AS n FROM dead d JOIN version v ON v.seq = d.seq WHERE v.until <> d.until',
  },
  {
    what: 'a shape whose count is wrong',
    sql: `SELECT s.sh AS n FROM shape s WHERE s.live <> (SELECT count(*) FROM live l JOIN instance i ON i.seq = l.seq
          WHERE l.sh = s.sh AND i.state = ${states.live})`,
  },
  {
    what: 'a version whose shape says otherwise than its sort values',
    sql: `SELECT l.seq AS n FROM live l JOIN shape s ON s.sh = l.sh JOIN json_each(s.params) e JOIN param p ON p.p = e.value
          WHERE p.code NOT LIKE '%:unsorted' AND (l.so ->> ('$."' || p.p || '"[0]') IS NULL) <> EXISTS (SELECT 1 FROM param c
            JOIN json_each(s.params) f ON f.value = c.p WHERE c.t = p.t AND c.code = p.code || ':unsorted')`,
  },
  {
    what: 'an instance whose newest version is missing or another',
    sql: `SELECT i.iid AS n FROM instance i LEFT JOIN version v ON v.seq = i.seq
          WHERE i.state IN (${states.live}, ${states.deleted}) AND (v.seq IS NULL OR v.iid <> i.iid OR v.vid <> i.vid OR v.until <> 9007199254740991)`,
  },
  {
    what: 'a version that does not end where the next begins',
    // One that was erased leaves a gap in the numbers, and the one before it ends earlier.
    sql: `SELECT seq AS n FROM (SELECT seq, vid, until, lead(seq, 1, 9007199254740991) OVER history AS next, lead(vid, 1, vid + 1) OVER history AS following
          FROM version WINDOW history AS (PARTITION BY iid ORDER BY seq)) WHERE until > next OR (until < next AND following = vid + 1)`,
  },
  {
    what: 'a version number that is not one more than the one before',
    sql: `SELECT seq AS n FROM (SELECT seq, vid, lag(vid, 1) OVER (PARTITION BY iid ORDER BY seq) AS before FROM version)
          WHERE before IS NOT NULL AND vid <= before`,
  },
  {
    what: 'a purged instance of which something is left',
    sql: `SELECT i.iid AS n FROM instance i WHERE i.state = ${states.purged} AND (i.seq <> 0 OR EXISTS (SELECT 1 FROM version v WHERE v.iid = i.iid)
          OR EXISTS (SELECT 1 FROM live l WHERE l.iid = i.iid) OR EXISTS (SELECT 1 FROM uniq u WHERE u.iid = i.iid))`,
  },
  {
    what: 'a blob whose parts are not what it should hold',
    sql: `SELECT b AS n FROM blob WHERE state >= ${blobStates.whole}
          AND size <> coalesce((SELECT sum(length(bytes)) FROM blob_part p WHERE p.b = blob.b AND p.n < (blob.size + 1048575) / 1048576 + (blob.size = 0)), -1)`,
  },
  {
    what: 'a part of a blob that is not there',
    sql: 'SELECT DISTINCT b AS n FROM blob_part WHERE NOT EXISTS (SELECT 1 FROM blob WHERE blob.b = blob_part.b)',
  },
  {
    what: 'a blob whose owner is not there',
    sql: 'SELECT b AS n FROM blob WHERE seq > 0 AND NOT EXISTS (SELECT 1 FROM version v WHERE v.seq = blob.seq)',
  },
  {
    what: 'records that may be deleted outside of retention',
    sql: 'SELECT name AS n FROM record_control',
  },
  {
    what: 'labels that are other than the confidentiality of their version',
    sql: `SELECT l.seq AS n FROM live l WHERE coalesce((SELECT group_concat(w) FROM label WHERE label.seq = l.seq AND w < ${sensitivityLabel(1)}), '')
          <> iif(l.conf = ${normal}, '', CAST(l.conf AS TEXT))`,
  },
  {
    what: 'labels of a version that is neither indexed nor a deletion that is the newest of its instance',
    sql: `SELECT DISTINCT seq AS n FROM label WHERE NOT EXISTS (SELECT 1 FROM live l WHERE l.seq = label.seq)
          AND NOT EXISTS (SELECT 1 FROM version v JOIN instance i ON i.iid = v.iid WHERE v.seq = label.seq AND i.seq = v.seq AND i.state = ${states.deleted})`,
  },
  {
    what: 'a label with an unknown sensitivity',
    sql: `SELECT seq AS n FROM label WHERE w >= ${sensitivityLabel(1)} AND NOT EXISTS (SELECT 1 FROM sensitivity s WHERE s.s = w - ${sensitivityLabel(0)})`,
  },
  {
    what: 'a version about nobody that is about somebody, or about neither',
    sql: `SELECT l.seq AS n FROM live l WHERE EXISTS (SELECT 1 FROM nobody WHERE nobody.t = l.t AND nobody.seq = l.seq)
          = EXISTS (SELECT 1 FROM pat WHERE pat.seq = l.seq)
          UNION ALL SELECT seq FROM nobody WHERE NOT EXISTS (SELECT 1 FROM live WHERE live.seq = nobody.seq)`,
  },
  {
    what: 'a relation that nothing live says, or of nobody known',
    sql: `SELECT DISTINCT r.iid AS n FROM relation r WHERE NOT EXISTS (SELECT 1 FROM instance i WHERE i.iid = r.iid AND i.state = ${states.live})
          OR NOT EXISTS (SELECT 1 FROM instance p WHERE p.iid = r.patient) OR NOT EXISTS (SELECT 1 FROM served s WHERE s.g = r.g)`,
  },
  {
    what: 'a reference to an unknown instance',
    sql: 'SELECT seq AS n FROM ref WHERE NOT EXISTS (SELECT 1 FROM instance WHERE instance.iid = ref.iid)',
  },
]

const ruleFindings = (db: DatabaseSync, { what, sql }: Rule): string[] =>
  db
    .prepare(`${sql} LIMIT ${findingsMax}`)
    .all()
    .map(row => `${what}: ${row.n}`)

/** Each record against the key it is known by. */
const recordFindings = (db: DatabaseSync): string[] =>
  db
    .prepare('SELECT name, key FROM record_definition')
    .all()
    .flatMap(({ name, key }) =>
      ruleFindings(db, {
        what: `a record of ${name} that is known by another key than it says, or is no document`,
        sql: `SELECT rowid AS n FROM "rec_${name}" WHERE NOT iif(json_valid(value), json_extract(value, '$.${key}') IS key, 0)`,
      }),
    )

/** Every table's rows per version against what the version's record says, then each recorded key against its row. */
const entryFindings = (db: DatabaseSync): string[] => {
  const present = Object.fromEntries(valueTables.map(table => [table, rowsPerSeq(db, table)])) as Record<ValueTable, Map<number, number>>
  const findings: string[] = []
  const finders = keyFinders(db)
  for (const row of db.prepare('SELECT seq, t, keys FROM live').iterate()) {
    const [seq, t] = [row.seq as number, row.t as number]
    const keys = readKeys(row.keys as Uint8Array)
    const recorded: Record<ValueTable, number> = {
      ...keys.counts,
      own: keys.own.length,
      aut: keys.aut.length,
      tok: keys.tok.length,
      str: keys.str.length,
      cmp: keys.cmp.length,
      cms: keys.cms.length,
    }
    for (const table of valueTables) {
      const found = present[table].get(seq) ?? 0
      present[table].delete(seq)
      if (found !== recorded[table]) findings.push(`entries in ${table} of version ${seq}: ${recorded[table]} recorded, ${found} present`)
    }
    findings.push(...finders.flatMap(find => find(keys, seq, t)))
    if (findings.length >= findingsMax) return findings
  }
  for (const table of valueTables)
    for (const seq of present[table].keys()) findings.push(`entries in ${table} of version ${seq}, which has no record`)
  return findings
}

const rowsPerSeq = (db: DatabaseSync, table: ValueTable): Map<number, number> => {
  const rows = new Map<number, number>()
  for (const row of db.prepare(`SELECT seq FROM ${table}`).iterate()) rows.set(row.seq as number, (rows.get(row.seq as number) ?? 0) + 1)
  return rows
}

type Finder = (keys: ReturnType<typeof readKeys>, seq: number, t: number) => string[]

const keyFinders = (db: DatabaseSync): readonly Finder[] => {
  const finder = (
    table: ValueTable,
    where: string,
    list: (keys: ReturnType<typeof readKeys>, t: number) => readonly (readonly (string | number)[])[],
  ): Finder => {
    const statement = db.prepare(`SELECT 1 FROM ${table} WHERE ${where} AND seq = ?`)
    return (keys, seq, t) =>
      list(keys, t)
        .filter(values => statement.get(...values, seq) === undefined)
        .map(() => `a recorded entry of version ${seq} is not in ${table}`)
  }
  return [
    finder('own', 'org = ? AND t = ?', (keys, t) => keys.own.map(org => [org, t])),
    finder('aut', 'author = ? AND t = ?', (keys, t) => keys.aut.map(author => [author, t])),
    finder('tok', 'p = ? AND code = ?', keys => keys.tok),
    finder('str', 'p = ? AND v = ?', keys => keys.str),
    finder('cmp', 'p = ? AND k = ? AND lo = ? AND hi = ?', keys => keys.cmp),
    finder('cms', 'p = ? AND k = ? AND v = ?', keys => keys.cms),
    sieveFinder(db),
  ]
}

/** A sieve that lacks a token would hide the version from who looks for it. */
const sieveFinder = (db: DatabaseSync): Finder => {
  const tables = (['pat', 'dat'] as const).map(table => ({
    table,
    statement: db.prepare(`SELECT 1 FROM ${table} INDEXED BY ${table}_f WHERE seq = ? AND sieve <> ?`),
  }))
  return ({ counts, tok }, seq) => {
    const sieve = new Sieve()
    for (const [p, code] of tok) sieve.add(p, code)
    return tables.flatMap(({ table, statement }) =>
      counts[table] === 0 || statement.get(seq, sieve.bits) === undefined
        ? []
        : [`entries in ${table} of version ${seq} that say other tokens than it has`],
    )
  }
}
