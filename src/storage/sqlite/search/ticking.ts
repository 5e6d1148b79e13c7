import { type Sql, sql } from './sql.ts'

/** A call out of SQLite costs as much as the step itself: one row in 31 pays it. Seqs are spread by time; nobody can choose them. */
export const ticking = (number: Sql): Sql => sql`iif(${number} % 31, 1, tick(${number}))`
