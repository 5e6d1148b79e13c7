import { canonicalBase } from '../../base/canonical.ts'
import type { Resource } from '../../fhir/model/resource.ts'
import type { Key } from '../../storage/port.ts'
import { spanOf } from './instants.ts'
import { instanceOf, recordsOf } from './references.ts'
import type { RoleReachParts } from './role-reach-parts.ts'

/** On a RelatedPerson whose papers the record unit has seen: the day it did (valueDate). Whoever writes RelatedPersons may set it; patients may not. */
const verifiedUrl = `${canonicalBase}/StructureDefinition/verified-on`

/** Persons and links that are looked at. */
const linksMax = 50

/** Whom a user stands for: their RelatedPersons that count, and the patients these stand for. */
export type Represented = { readonly patients: readonly string[]; readonly relatives: readonly string[] }

const nobody: Represented = { patients: [], relatives: [] }

/**
 * A RelatedPerson stands for its patient where it is active, in its period and verified; a Person by its links of assurance level 3 and 4; a Patient by
 * the RelatedPersons to which such Persons link it. Another Patient that is the same human is not reached by that: records are joined by merging them.
 * @see auth.md 4.1, S
 */
export const representedBy = async (parts: RoleReachParts, fhirUser: string | undefined): Promise<Represented> => {
  const user = fhirUser === undefined ? undefined : instanceOf({ reference: fhirUser })
  if (user === undefined) return nobody
  if (user.type === 'RelatedPerson') return byRelatives(parts, [user.id], isVerified)
  if (user.type === 'Person') {
    const person = await parts.newest('Person', user.id)
    if (person === undefined || person.active === false) return nobody
    const links = assured(person)
    const by = await byRelatives(parts, idsOf(links, 'RelatedPerson'), isAny)
    return { ...by, patients: [...new Set([...idsOf(links, 'Patient'), ...by.patients])] }
  }
  if (user.type !== 'Patient') return nobody
  const { found } = await parts.referring('Person', 'link', [`Patient/${user.id}`], linksMax)
  const own = found
    .filter(person => person.active !== false)
    .map(assured)
    .filter(links => idsOf(links, 'Patient').includes(user.id))
  return byRelatives(parts, idsOf(own.flat(), 'RelatedPerson'), isAny)
}

const assured = (person: Resource): readonly Key[] =>
  recordsOf(person.link)
    .slice(0, linksMax)
    .flatMap(({ target, assurance }) => (assurance === 'level3' || assurance === 'level4' ? (instanceOf(target) ?? []) : []))

const idsOf = (keys: readonly Key[], type: string): readonly string[] => keys.flatMap(key => (key.type === type ? [key.id] : []))

const isAny = (): boolean => true

const isVerified = ({ extension }: Resource, now: number): boolean =>
  recordsOf(extension).some(({ url, valueDate }) => {
    const since = url === verifiedUrl && typeof valueDate === 'string' ? spanOf({ start: valueDate }, {})?.since : undefined
    return since !== undefined && since <= now
  })

const byRelatives = async (
  { newest, clock }: RoleReachParts,
  ids: readonly string[],
  counts: (relative: Resource, now: number) => boolean,
): Promise<Represented> => {
  const now = clock()
  const patients = new Set<string>()
  const relatives: string[] = []
  for (const id of [...new Set(ids)].slice(0, linksMax)) {
    const relative = await newest('RelatedPerson', id)
    const patient = relative && isInForce(relative, now) && counts(relative, now) ? instanceOf(relative.patient) : undefined
    if (patient?.type !== 'Patient') continue
    patients.add(patient.id)
    relatives.push(`RelatedPerson/${id}`)
  }
  return { patients: [...patients], relatives }
}

/** It must say that it is active: who says nothing has not been looked at. */
const isInForce = ({ active, period }: Resource, now: number): boolean => {
  const span = spanOf(period, {})
  return active === true && span !== undefined && (span.since ?? now) <= now && now < (span.until ?? Number.POSITIVE_INFINITY)
}
