import type { DatabaseSync } from 'node:sqlite'
import { fail, type Outcome } from '../../base/outcome.ts'
import type { Count, SearchPage } from '../port.ts'
import { inOneState } from './connection.ts'
import type { Question } from './reader-messages.ts'
import type { SqliteSearch } from './search.ts'
import { sweptOf } from './sweep.ts'

/** Answers a question on this connection, from one committed state. Fails `expired-cursor` when its snapshot is gone. */
export const answerQuestion = (db: DatabaseSync, search: SqliteSearch, question: Question): Outcome<SearchPage | Count> =>
  inOneState(db, () => {
    const { query, access, snapshotSeq, ms } = question
    if (snapshotSeq !== undefined && snapshotSeq < sweptOf(db)) return fail('expired-cursor', {})
    const options = {
      access,
      ...(snapshotSeq === undefined ? {} : { snapshotSeq }),
      ...(ms === undefined ? {} : { deadlineAtMs: performance.now() + ms }),
    }
    if (question.kind === 'count') return search.count(query, { ...options, ...(question.cap === undefined ? {} : { cap: question.cap }) })
    return search.search(query, {
      ...options,
      count: question.count,
      ...(question.position === undefined ? {} : { position: question.position }),
      ...(question.backward === undefined ? {} : { backward: question.backward }),
    })
  })
