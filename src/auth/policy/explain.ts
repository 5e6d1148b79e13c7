import { type AccessFilter, type AccessSubject, permits } from '../../base/access-filter.ts'
import type { RoleTable } from '../roles/role-table.ts'
import { compose, type Question } from './decide.ts'
import type { Principal } from './principal.ts'

/** One rule of a decision: how it judges the state in question. `unknown` denies like `fail`. */
export type ExplainedRule = {
  readonly part: 'role' | 'scope' | 'labels' | 'consent' | 'request'
  readonly rule: string
  readonly result: 'pass' | 'fail' | 'unknown'
  readonly filter?: AccessFilter
}

/**
 * Every rule that meets in a decision, with pass or fail for one state. Of role and scope one must pass, of labels and consent both. Never
 * shows anything of the state itself.
 */
export const explain = (
  table: RoleTable,
  principal: Principal,
  interaction: string,
  type: string,
  subject: AccessSubject,
  question: Question = {},
): readonly ExplainedRule[] => {
  const composed = compose(table, principal, interaction, type, question)
  if ('allow' in composed) return [{ part: 'request', rule: composed.rule, result: 'fail' }]
  const judged = (part: ExplainedRule['part'], rule: string, filter: AccessFilter): ExplainedRule => {
    const result = permits(filter, subject)
    return { part, rule, filter, result: result === undefined ? 'unknown' : result ? 'pass' : 'fail' }
  }
  return [
    ...composed.role.map(({ name, where }) => judged('role', name, where)),
    ...(composed.scope ?? []).map(({ name, where }) => judged('scope', name, where)),
    judged('labels', 'labels', composed.labels),
    judged('consent', 'consent', composed.consent),
  ]
}
