import type { AuditEventEntity } from '@medplum/fhirtypes'
import type { Ruling } from '../auth/access.ts'
import { applyFieldRules, type RowViews, rowViews } from '../auth/policy/field-rules.ts'
import { type Principal, representedBy } from '../auth/policy/principal.ts'
import { type AccessFilter, type AccessSubject, admitsState } from '../base/access-filter.ts'
import type { Resource } from '../fhir/model/resource.ts'
import { markedSubsetted } from '../fhir/model/subset.ts'
import type { StoredVersion } from '../storage/port.ts'
import type { Call, Parts } from './parts.ts'
import { bare, type Inquiry, inquiryOf, lookUp, type State, stateOf } from './states.ts'

/** How much of a state is shown to the caller. */
export type Sight = {
  readonly views: RowViews
  /** Of an AuditEvent, the patients whose entities stay: it is a copy without the others. */
  readonly copyFor?: ReadonlySet<string>
}

export const wholeSight: Sight = { views: [] }

export const isWholeSight = ({ views, copyFor }: Sight): boolean => views.length === 0 && copyFor === undefined

/** Whether nothing at all may be shown: the caller may write, and not read. */
export const isBlind = ({ views }: Sight): boolean => views.some(layer => layer.length === 0)

/** The resource as it is seen; the very one when all of it is. */
export const seenBy = (resource: Resource, { views, copyFor }: Sight, parts: Pick<Parts, 'definitions'>): Resource => {
  const copy = copyFor === undefined ? resource : copyOf(resource, copyFor)
  return applyFieldRules(copy, views, parts.definitions).resource
}

/** What sights of a type hang on. */
const conditionsOf = ({ fields, obligations }: Ruling): readonly AccessFilter[] => [
  ...fields.flatMap(layer => layer.map(({ where }) => where)),
  ...obligations.flatMap(one => (one.kind === 'patient-copy' ? [one.unless] : [])),
]

/** Whoever may see a state sees the whole of it. */
const showsAll = ({ fields, obligations }: Ruling): boolean =>
  fields.length === 0 && !obligations.some(({ kind }) => kind === 'patient-copy')

const sightOf = ({ fields, obligations }: Ruling, subject: AccessSubject, principal: Call['principal']): Sight => {
  const views = rowViews(fields, subject)
  const copied = obligations.some(one => one.kind === 'patient-copy' && !admitsState(one.unless, subject))
  return copied ? { views, copyFor: ownPatients(principal) } : views.length === 0 ? wholeSight : { views }
}

/** Ids of the patients whom copies of AuditEvents are made for. */
export const ownPatients = (principal: Call['principal']): ReadonlySet<string> =>
  principal.kind === 'anonymous' ? new Set() : new Set([...representedBy(principal), ...launchPatient(principal)])

const launchPatient = ({ launch }: Principal): readonly string[] => (launch.patient === undefined ? [] : [launch.patient])

/** A sight that is the same for all rows needs no row. */
const nobodysState: AccessSubject = { id: '' }

/** How much of each version the caller sees by an interaction, all found out in one question; whole where nothing is hidden. */
export const sightsOf = async (
  versions: readonly StoredVersion[],
  call: Call,
  parts: Parts,
  interaction: string | ((type: string) => string) = call.access.interaction,
): Promise<(version: StoredVersion) => Sight> => {
  const { access, principal } = call
  if (access.open) return () => wholeSight
  const rulingFor = (type: string): Ruling | undefined =>
    access.ruling(typeof interaction === 'string' ? interaction : interaction(type), type)
  const unasked = (version: StoredVersion): Sight => (version.deleted ? wholeSight : defaultSight(rulingFor(version.type)))
  // Most often: nothing of anything is hidden from who may see it.
  if (versions.every(version => unasked(version) === wholeSight)) return unasked
  const sights = new Map<number, Sight>()
  const rows: { readonly seq: number; readonly ruling: Ruling; readonly state: State }[] = []
  const inquiries: Inquiry[] = []
  for (const version of versions) {
    const ruling = version.deleted ? undefined : rulingFor(version.type)
    if (ruling === undefined || showsAll(ruling)) continue
    const conditions = conditionsOf(ruling)
    if (conditions.every(({ op }) => op === 'all' || op === 'none')) {
      sights.set(version.seq, sightOf(ruling, nobodysState, principal))
      continue
    }
    const { state } = await stateOf(version, parts)
    if (state === undefined) continue
    rows.push({ seq: version.seq, ruling, state })
    inquiries.push(...inquiryOf(state, conditions))
  }
  const informed = inquiries.length === 0 ? bare : await lookUp(inquiries, call, parts)
  for (const { seq, ruling, state } of rows) sights.set(seq, sightOf(ruling, informed(state), principal))
  return version => sights.get(version.seq) ?? unasked(version)
}

/** Of what nobody asked about, nothing is shown unless all may be. */
const defaultSight = (ruling: Ruling | undefined): Sight => (ruling !== undefined && showsAll(ruling) ? wholeSight : { views: [[]] })

/** How much the caller sees of a state that is not stored yet. */
export const sightOfNew = (ruling: Ruling, subject: AccessSubject, call: Call): Sight => sightOf(ruling, subject, call.principal)

/** All filters by which such a sight is judged. */
export const sightConditions = conditionsOf

// --- copies of AuditEvents

/**
 * An AuditEvent with the entities of these patients and that of the transaction alone, tagged SUBSETTED when others were left out.
 * @see audit.md 4
 */
const copyOf = (resource: Resource, patients: ReadonlySet<string>): Resource => {
  const entities: unknown = resource.entity
  if (!Array.isArray(entities)) return resource
  const kept = entities.filter((entity: AuditEventEntity) => isTransaction(entity) || isAbout(entity, patients))
  if (kept.length === entities.length) return resource
  const { entity: _, ...rest } = resource
  return { ...markedSubsetted(rest as Resource), ...(kept.length > 0 && { entity: kept }) }
}

const isAbout = ({ what }: AuditEventEntity, patients: ReadonlySet<string>): boolean => {
  const [type, id, ...more] = what?.reference?.split('/') ?? []
  return type === 'Patient' && id !== undefined && (more.length === 0 || more[0] === '_history') && patients.has(id)
}

/** The entity that names the request, by an identifier of ours and no reference. @see BALP, X-Request-Id */
const isTransaction = ({ what, type }: AuditEventEntity): boolean => type?.code === 'XrequestId' && what?.reference === undefined
