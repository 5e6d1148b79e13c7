import type { Outcome } from '../../base/outcome.ts'
import type { Count, SearchPage } from '../port.ts'
import type { Question } from './reader-messages.ts'
import type { SqliteSearch } from './search.ts'

/**
 * Answers a question from one committed state. Fails `expired-cursor` when its snapshot is gone, `too-costly` when its time is over or, with
 * `visitsMax`, when it is expected to look at more entries.
 */
export const answerQuestion = (search: SqliteSearch, question: Question, visitsMax?: number): Outcome<SearchPage | Count> => {
  const { query, access, now, snapshotSeq, ms } = question
  const options = {
    access,
    now,
    ...(snapshotSeq === undefined ? {} : { snapshotSeq }),
    ...(ms === undefined ? {} : { deadlineAtMs: performance.now() + ms }),
    ...(visitsMax === undefined ? {} : { visitsMax }),
  }
  if (question.kind === 'count') return search.count(query, { ...options, ...(question.cap === undefined ? {} : { cap: question.cap }) })
  return search.search(query, {
    ...options,
    count: question.count,
    ...(question.total === undefined ? {} : { total: question.total }),
    ...(question.position === undefined ? {} : { position: question.position }),
    ...(question.backward === undefined ? {} : { backward: question.backward }),
  })
}
