/**
 * The first shape of the store. A released migration never changes: its checksum is compared at every start.
 * Value tables are clustered by (parameter, value, seq), so that one seek finds a value and delivers its versions in order.
 * @see docs/decisions/2026-11-21-sqlite-writer.md
 */
export const initial = {
  number: 1,
  name: 'initial',
  sql: `
-- dictionaries: numbers for the words that repeat in every row; '' is number 0
CREATE TABLE type(t INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE param(p INTEGER PRIMARY KEY, t INTEGER NOT NULL, code TEXT NOT NULL, UNIQUE(t, code)) STRICT;
CREATE TABLE system(s INTEGER PRIMARY KEY, uri TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE unit(u INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO system(s, uri) VALUES (0, '');
INSERT INTO unit(u, text) VALUES (0, '');

-- the set of parameters a resource has values for; live counts the live instances of that shape exactly
CREATE TABLE shape(sh INTEGER PRIMARY KEY, t INTEGER NOT NULL, params TEXT NOT NULL, live INTEGER NOT NULL DEFAULT 0, UNIQUE(t, params)) STRICT;

-- state: 0 referred (only pointed at, seq 0), 1 live, 2 deleted, 3 purged
CREATE TABLE instance(iid INTEGER PRIMARY KEY, t INTEGER NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, vid INTEGER NOT NULL,
  state INTEGER NOT NULL, UNIQUE(t, id)) STRICT;

-- every version ever written; method: 1 POST, 2 PUT, 3 DELETE. until: seq of the next version, written in place later,
-- which is why it begins as a number of the same width and stands before the text
CREATE TABLE version(seq INTEGER PRIMARY KEY, iid INTEGER NOT NULL, vid INTEGER NOT NULL, t INTEGER NOT NULL, method INTEGER NOT NULL,
  until INTEGER NOT NULL DEFAULT 9007199254740991, text BLOB NOT NULL) STRICT;
CREATE INDEX version_iid ON version(iid, seq, vid);
CREATE INDEX version_t ON version(t, seq);

-- one row per indexed version; so: {"<p>": [least, greatest?]}; keys: the record of its entries in the tables below
CREATE TABLE live(seq INTEGER PRIMARY KEY, t INTEGER NOT NULL, iid INTEGER NOT NULL, sh INTEGER NOT NULL, conf INTEGER NOT NULL,
  so BLOB NOT NULL, keys BLOB NOT NULL) STRICT;
CREATE INDEX live_t ON live(t, seq);
CREATE INDEX live_sh ON live(sh, seq);

-- superseded and deleted versions whose entries still stand because a snapshot may need them
CREATE TABLE dead(seq INTEGER PRIMARY KEY, until INTEGER NOT NULL) STRICT;
CREATE INDEX dead_until ON dead(until, seq);

-- what access filters ask: privacy compartment, owning organizations, authors
CREATE TABLE pat(patient TEXT NOT NULL, t INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(patient, t, seq)) STRICT, WITHOUT ROWID;
CREATE INDEX pat_f ON pat(seq, patient);
CREATE TABLE own(org TEXT NOT NULL, t INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(org, t, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE aut(author TEXT NOT NULL, t INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(author, t, seq)) STRICT, WITHOUT ROWID;
-- the same of deletions, which searches never meet but histories show; kind: 1 patient, 2 organization, 3 author
CREATE TABLE gone(seq INTEGER NOT NULL, kind INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY(seq, kind, value)) STRICT, WITHOUT ROWID;

-- index values; m: 1 least, 2 greatest, 3 both of its parameter in this resource
CREATE TABLE tok(p INTEGER NOT NULL, code TEXT NOT NULL, seq INTEGER NOT NULL, s INTEGER NOT NULL, m INTEGER NOT NULL,
  PRIMARY KEY(p, code, seq, s)) STRICT, WITHOUT ROWID;
CREATE TABLE str(p INTEGER NOT NULL, v TEXT NOT NULL, seq INTEGER NOT NULL, x TEXT NOT NULL, m INTEGER NOT NULL,
  PRIMARY KEY(p, v, seq, x)) STRICT, WITHOUT ROWID;
CREATE TABLE dat(p INTEGER NOT NULL, lo INTEGER NOT NULL, hi INTEGER NOT NULL, seq INTEGER NOT NULL, m INTEGER NOT NULL,
  PRIMARY KEY(p, lo, hi, seq)) STRICT, WITHOUT ROWID;
CREATE INDEX dat_hi ON dat(p, hi, lo, seq);
CREATE INDEX dat_f ON dat(seq, p, lo, hi);
CREATE TABLE num(p INTEGER NOT NULL, u INTEGER NOT NULL, lo REAL NOT NULL, hi REAL NOT NULL, seq INTEGER NOT NULL, m INTEGER NOT NULL,
  PRIMARY KEY(p, u, lo, hi, seq)) STRICT, WITHOUT ROWID;
CREATE INDEX num_f ON num(seq, p);
CREATE TABLE ref(p INTEGER NOT NULL, iid INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(p, iid, seq)) STRICT, WITHOUT ROWID;
CREATE INDEX ref_f ON ref(seq, p, iid);
CREATE TABLE cmp(p INTEGER NOT NULL, k TEXT NOT NULL, lo REAL NOT NULL, hi REAL NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY(p, k, lo, hi, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE cms(p INTEGER NOT NULL, k TEXT NOT NULL, v TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(p, k, v, seq)) STRICT, WITHOUT ROWID;

CREATE TABLE uniq(key TEXT PRIMARY KEY, iid INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE counter(key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
-- what the engine remembers about itself: swept, sequence
CREATE TABLE setting(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
-- what the planner learned about the spread of values, renewed as the store grows
CREATE TABLE statistic(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`,
} as const
