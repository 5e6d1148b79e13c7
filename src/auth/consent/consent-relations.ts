import type { Resource } from '../../fhir/model/resource.ts'
import type { Relation } from '../../storage/port.ts'
import { instanceOf } from '../relations/references.ts'
import type { Written } from '../relations/written.ts'
import { type ConsentRule, closingRule, type Level, looksInside } from './consent-rule.ts'
import { isActivePrivacyConsent, readConsent } from './read-consent.ts'

/** What one Consent may come to; `checkConsent` refuses what comes to more. */
export const rowsMax = 2_000

/** Stands for everybody, every purpose, every type. */
export const any = '*'

/** A `closed` row of every patient who closes anything to anybody: whoever has none is asked nothing else. */
export const somewhere = 'somewhere'

/** What rows and questions say alike: how near, to whom, for what, of which type. At most 256 bytes. */
export const rowText = (level: Level, recipient: string, purpose: string, type: string): string =>
  `${nearness(level)}|${recipient}|${purpose}|${type}`

/** Rows do not look inside, so what speaks by label and what speaks by class are asked together. */
const nearness = (level: Level): number => (level === 4 ? 5 : level)

type Row = Pick<Relation, 'from' | 'of' | 'since' | 'until'>

/**
 * `closed` rows for everything that a rule may deny, and `permitted` rows for what is permitted whole: questions across patients ask them instead of the
 * rules, and see no more by them than the rules would show. @see auth.md 12.3
 */
export const consentRelations = (resource: Resource, written: Pick<Written, 'zone'> = {}): readonly Relation[] => {
  const patient = instanceOf(resource.patient)
  if (patient?.type !== 'Patient' || !isActivePrivacyConsent(resource)) return []
  const rows = compiledRows(rulesOf(resource, written))
  const closing: readonly Row[] = rows.some(({ from }) => from === 'closed') ? [{ from: 'closed', of: somewhere }] : []
  return [...closing, ...rows].map(row => ({ ...row, patient: patient.id }))
}

/** The rules of an active privacy Consent. One that cannot be read, or says more than can be kept, closes everything. */
export const rulesOf = (resource: Resource, written: Pick<Written, 'zone'>): readonly ConsentRule[] => {
  const read = readConsent(resource, written)
  return read.ok && compiledRows(read.rules).length <= rowsMax ? read.rules : [closingRule]
}

export const compiledRows = (rules: readonly ConsentRule[]): readonly Row[] => {
  const rows: Row[] = []
  for (const rule of rules) {
    if (rows.length > rowsMax) break
    rows.push(...(rule.effect === 'deny' ? closedBy(rule) : permittedBy(rule)))
  }
  return rows
}

/** As wide as the rule can be: of two conditions of one sort, its own alone. */
const closedBy = ({ level, actors, purposes, classes, span }: ConsentRule): readonly Row[] =>
  textsOf(level, actors.at(-1)?.map(withoutTeams), purposes.at(-1), classes.at(-1)).map(of => ({ from: 'closed', of, ...span }))

/** Who is in a team is not known here: it may be anybody. */
const withoutTeams = (name: string): string => (isTeam(name) ? any : name)
const isTeam = (name: string): boolean => name.startsWith('CareTeam/')

/** As narrow as the rule can be: none where it looks inside, or has two conditions of one sort. */
const permittedBy = (rule: ConsentRule): readonly Row[] => {
  const { level, actors, purposes, classes, span } = rule
  if (looksInside(rule) || [actors, purposes, classes].some(({ length }) => length > 1)) return []
  const named = actors[0]?.filter(name => !isTeam(name))
  return textsOf(level, named, purposes[0], classes[0]).map(of => ({ from: 'permitted', of, ...span }))
}

const textsOf = (
  level: Level,
  actors: readonly string[] = [any],
  purposes: readonly string[] = [any],
  classes: readonly string[] = [any],
): readonly string[] => {
  const texts = new Set<string>()
  for (const actor of actors) {
    for (const purpose of purposes) {
      for (const type of classes) {
        if (texts.size > rowsMax) return [...texts]
        texts.add(rowText(level, actor, purpose, type))
      }
    }
  }
  return [...texts]
}
