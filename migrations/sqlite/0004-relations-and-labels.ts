/**
 * Who reaches whose record, and what is closed to most. Nothing had relations or sensitivities before: reindexing a resource writes those that it has.
 * Confidentiality of deletions from before was not kept; it is that of the state deleted.
 * @see docs/decisions/access-in-the-query.md
 */
export const relationsAndLabels = {
  number: 4,
  name: 'relations-and-labels',
  sql: `
-- whom relations serve; kind: 1 care, 2 facility, 3 queue, 4 group, 5 closed, 6 permitted
CREATE TABLE served(g INTEGER PRIMARY KEY, kind INTEGER NOT NULL, id TEXT NOT NULL, UNIQUE(kind, id)) STRICT;
-- patient: instance Patient/<id>; iid: the instance whose newest version says it; n: its place among what that says.
-- since, until: ms, from the one and before the other, absent for always
CREATE TABLE relation(g INTEGER NOT NULL, patient INTEGER NOT NULL, iid INTEGER NOT NULL, n INTEGER NOT NULL, since INTEGER, until INTEGER,
  self INTEGER NOT NULL, PRIMARY KEY(g, patient, iid, n)) STRICT, WITHOUT ROWID;
CREATE INDEX relation_source ON relation(iid);

-- indexed versions that have no row in pat
CREATE TABLE nobody(t INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(t, seq)) STRICT, WITHOUT ROWID;
INSERT INTO nobody(t, seq) SELECT t, seq FROM live WHERE NOT EXISTS (SELECT 1 FROM pat WHERE pat.seq = live.seq);

-- codes of meta.security that ask for a clearance of their own
CREATE TABLE sensitivity(s INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE) STRICT;
-- labels of versions, deletions included, where they are not normal: w is a confidentiality from 0 to 5 but for 3, or 5 + s of a sensitivity
CREATE TABLE label(seq INTEGER NOT NULL, w INTEGER NOT NULL, PRIMARY KEY(seq, w)) STRICT, WITHOUT ROWID;
INSERT INTO label(seq, w) SELECT seq, conf FROM live WHERE conf <> 3;
INSERT INTO label(seq, w) SELECT i.seq, max(instr('ULMNRV', s.value ->> 'code')) - 1 AS w
  FROM instance i JOIN version v ON v.iid = i.iid AND v.until = i.seq, json_each(CAST(v.text AS TEXT), '$.meta.security') s
  WHERE i.state = 2 AND v.method < 3 AND s.value ->> 'system' = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality'
    AND s.value ->> 'code' IN ('U', 'L', 'M', 'N', 'R', 'V')
  GROUP BY i.seq HAVING w <> 3;
`,
} as const
