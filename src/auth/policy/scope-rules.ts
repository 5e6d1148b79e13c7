import type { AccessFilter } from '../../base/access-filter.ts'
import type { Letter } from '../letters.ts'
import { type RoleTable, sharedGroups, type View } from '../roles/role-table.ts'
import { hasPlainScope, namesType, type ResourceScope, renderScope } from '../scopes/scope.ts'
import { alternativesOf } from '../scopes/scope-param.ts'
import { ownId, type Principal } from './principal.ts'
import { allOf, anyOf, everything, nothing } from './simplify.ts'

/** One scope as it covers a type: which states, and seen how. */
export type ScopeRule = {
  readonly name: string
  readonly where: AccessFilter
  readonly view?: View
  readonly level: ResourceScope['level'] | 'none'
}

/** The view of shared types under a patient's scope. */
const directoryView = 'directory'

/** What the scopes cover with this letter; undefined for those who need none (our own pages, internal principals). None: nothing is covered. */
export const scopeRules = (
  table: RoleTable,
  principal: Principal,
  interaction: string,
  type: string,
  letter: Letter,
): readonly ScopeRule[] | undefined => {
  const { scopes, kind, sessionId, clientId } = principal
  if (scopes === undefined) {
    const needsNone = kind === 'internal' || (kind !== 'client' && sessionId !== undefined && clientId === undefined)
    return needsNone ? undefined : []
  }
  const covering = scopes.flatMap((scope): readonly ScopeRule[] => {
    if (scope.kind === 'plain' || !scope.letters.includes(letter) || !namesType(scope, type)) return []
    const reach = levelRule(scope, { table, principal, type, letter })
    if (reach === undefined) return []
    const where = allOf([reach.where, ...scope.params.map(paramFilter), ...appState(principal, type)])
    return [{ name: renderScope(scope), level: scope.level, ...reach, where }]
  })
  const self = interaction === 'read' && hasPlainScope(scopes, 'fhirUser') ? ownId(principal, type) : undefined
  return self === undefined ? covering : [...covering, { name: 'fhirUser', level: 'none', where: { op: 'ids', ids: [self] } }]
}

const paramFilter = ({ code, value }: ResourceScope['params'][number]): AccessFilter => ({
  op: 'param',
  code,
  values: alternativesOf(value),
})

/** State of apps lies in Basic, told apart by systems of codes that each client registered. */
const appState = ({ clientId, appStateSystems = [] }: Principal, type: string): readonly AccessFilter[] => {
  if (type !== 'Basic' || clientId === undefined) return []
  return [
    appStateSystems.length === 0 ? nothing : { op: 'param', code: 'code', values: appStateSystems.map(system => `${escaped(system)}|`) },
  ]
}

const escaped = (text: string): string => text.replace(/[\\,|$]/g, '\\$&')

type About = { readonly table: RoleTable; readonly principal: Principal; readonly type: string; readonly letter: Letter }

const levelRule = (scope: ResourceScope, { table, principal, type, letter }: About): Pick<ScopeRule, 'where' | 'view'> | undefined => {
  const isPerson = principal.kind === 'user' || principal.kind === 'patient'
  if (scope.level === 'user') return isPerson ? { where: everything } : undefined
  if (scope.level === 'system') return isPerson ? undefined : { where: everything }
  const patient = principal.launch.patient
  if (!isPerson || patient === undefined) return undefined
  if (!sharedGroups.has(table.groupOf.get(type) ?? '')) {
    return { where: type === 'AuditEvent' ? { op: 'patient', id: patient } : { op: 'patient', id: patient, only: true } }
  }
  const view = table.views.get(directoryView)
  if ((letter !== 'r' && letter !== 's') || view === undefined) return undefined
  return {
    where: table.aboutPatients.has(type) ? anyOf([{ op: 'patientless' }, { op: 'patient', id: patient, only: true }]) : everything,
    view,
  }
}
