import type { AccessFilter, ConsentFilter } from '../../base/access-filter.ts'
import { allOf, anyOf, everything, nothing } from '../policy/simplify.ts'
import { type Caller, callerOf, isOpenByDefault } from './caller.ts'
import type { ConsentDefault, ConsentRule, Level } from './consent-rule.ts'
import { matterOf, not, type RelatedTo } from './matter.ts'
import { withWiderPurposes } from './purposes.ts'

/** The rules of all active Consents of one patient, and what those that speak of related data mean. */
export type PatientRules = { readonly rules: readonly ConsentRule[]; readonly related: RelatedTo }

/**
 * Which states of a type the consents of one patient leave open to a caller now, to the letter: the nearest rules that fit decide, and among equals a deny;
 * without any, the default. Each purpose must be open by itself. Break-glass goes before, and is not known here.
 * @see auth.md 12.2
 */
export const openByRules = (
  { rules, related }: PatientRules,
  filter: ConsentFilter,
  type: string,
  byDefault: ConsentDefault,
  now: number,
): AccessFilter => {
  const caller = callerOf(filter)
  if (caller.purposes.length === 0) return nothing
  return allOf(caller.purposes.map(purpose => openFor({ rules, related }, caller, purpose, type, byDefault, now)))
}

const levels: readonly Level[] = [2, 3, 4, 5, 6]

const openFor = (
  { rules, related }: PatientRules,
  caller: Caller,
  purpose: string,
  type: string,
  byDefault: ConsentDefault,
  now: number,
): AccessFilter => {
  const touching = rules.filter(rule => touches(rule, caller, purpose, now) && speaksOfType(rule, type))
  const matters = (level: Level, effect: ConsentRule['effect']): AccessFilter =>
    anyOf(
      touching
        .filter(rule => rule.level === level && rule.effect === effect)
        .map(rule => withoutExceptions(rule, caller, purpose, type, related, now)),
    )
  return levels.reduceRight(
    (open, level) => allOf([not(matters(level, 'deny')), anyOf([matters(level, 'permit'), open])]),
    isOpenByDefault(caller, purpose, byDefault) ? everything : nothing,
  )
}

/** What the rule is about, but for where one of its exceptions fits. */
const withoutExceptions = (
  rule: ConsentRule,
  caller: Caller,
  purpose: string,
  type: string,
  related: RelatedTo,
  now: number,
): AccessFilter => {
  const excepted = rule.exceptions.filter(one => touches(one, caller, purpose, now) && speaksOfType(one, type))
  return allOf([matterOf(rule, type, related), not(anyOf(excepted.map(one => matterOf(one, type, related))))])
}

/** What the patient closed to the very applications by which he himself asks: all that is ever closed to him. */
export const closedToOwnClients = ({ rules, related }: PatientRules, filter: ConsentFilter, type: string, now: number): AccessFilter => {
  const caller = callerOf(filter)
  const naming = rules.filter(rule => rule.effect === 'deny' && namesClient(rule, caller))
  return anyOf(
    caller.purposes.flatMap(purpose =>
      naming
        .filter(rule => touches(rule, caller, purpose, now) && speaksOfType(rule, type))
        .map(rule => withoutExceptions(rule, caller, purpose, type, related, now)),
    ),
  )
}

const speaksOfType = ({ classes }: ConsentRule, type: string): boolean => classes.every(types => types.includes(type))

/** Whether the rule is in force for this caller and purpose. */
const touches = (rule: ConsentRule, caller: Caller, purpose: string, now: number): boolean => {
  const { actors, purposes, span } = rule
  const { since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY } = span
  if (now < since || now >= until) return false
  const wide = withWiderPurposes(purpose)
  if (!purposes.every(codes => codes.some(code => wide.includes(code)))) return false
  const names = [...caller.persons, ...caller.groups]
  if (!actors.every(alternatives => alternatives.some(name => names.includes(name)))) return false
  // A doctor may be permitted what an application that nobody vouches for may not.
  return rule.effect === 'deny' || !caller.outside || namesClient(rule, caller)
}

const namesClient = ({ actors }: ConsentRule, { clients }: Caller): boolean =>
  actors.some(alternatives => alternatives.some(name => clients.includes(name)))

/** Whether the rules close anything to the caller, whatever it is about. */
export const closesAnything = (
  { rules }: PatientRules,
  filter: ConsentFilter,
  patient: string,
  byDefault: ConsentDefault,
  now: number,
): boolean => {
  const caller = callerOf(filter)
  const isSelf = patient === caller.self
  return caller.purposes.some(purpose => {
    const touching = rules.filter(rule => touches(rule, caller, purpose, now))
    if (touching.some(rule => rule.effect === 'deny' && (!isSelf || namesClient(rule, caller)))) return true
    return !isSelf && !isOpenByDefault(caller, purpose, byDefault) && !touching.some(rule => rule.effect === 'permit' && isWhole(rule))
  })
}

const isWhole = ({ classes, labels, codes, dataPeriods, data }: ConsentRule): boolean =>
  classes.length + labels.length + codes.length + dataPeriods.length + data.length === 0
