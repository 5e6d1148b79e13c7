import { namedForPatients } from '../auth/relations/patients.ts'
import type { Written } from '../auth/relations/written.ts'
import {
  type AccessFilter,
  type AccessSubject,
  type ConsentFilter,
  lookupsOf,
  type ParamFilter,
  type PatientsFilter,
  permits,
} from '../base/access-filter.ts'
import { parseReference } from '../fhir/model/references.ts'
import type { Resource } from '../fhir/model/resource.ts'
import { evaluate } from '../search/evaluate.ts'
import type { IndexValues } from '../search/values.ts'
import type { Key, Relation, RelationQuestion, Store, StoredVersion } from '../storage/port.ts'
import { type AccessAttributes, accessAttributes } from './access-attributes.ts'
import { surroundingsOf } from './access-surroundings.ts'
import { paramNode } from './param-node.ts'
import type { Call, Parts } from './parts.ts'
import { residual } from './residual.ts'
import { parseStored } from './stored-resource.ts'

/** A state in hand, stored or about to be, as access filters ask about it. */
export type State = Key & {
  readonly attributes: AccessAttributes
  /** What a Binary is decided as, when it says so. */
  readonly context?: Key | undefined
  /** Ids of what a state that is not stored yet speaks of. */
  readonly speaksOf?: readonly string[]
  meets(condition: ParamFilter): boolean | undefined
}

type StateParts = Pick<Parts, 'store' | 'definitions' | 'limits' | 'settings' | 'clock' | 'index'>

/** What does not change with a version: to find it out costs more than to read the version. */
type Remembered = Pick<State, 'attributes' | 'context'> & { readonly met: Map<string, boolean | undefined> }

const rememberedMax = 20_000
const conditionsMax = 32

const memories = new WeakMap<Store, Map<number, Remembered>>()

const memoryOf = (store: Store): Map<number, Remembered> => {
  const known = memories.get(store) ?? new Map<number, Remembered>()
  memories.set(store, known)
  return known
}

const remember = (store: Store, seq: number, found: Remembered): Remembered => {
  const memory = memoryOf(store)
  const [oldest] = memory.keys()
  if (memory.size >= rememberedMax && oldest !== undefined) memory.delete(oldest)
  memory.set(seq, found)
  return found
}

/** `asked`: the store was asked for the state before a deletion. */
export type StateFound = { readonly state: State | undefined; readonly asked: boolean }

/** A stored version; a deletion has the attributes of the state before it, and without one nobody can say whose it was. */
export const stateOf = async (version: StoredVersion, parts: StateParts): Promise<StateFound> => {
  const known = stateKnown(version, parts)
  if (known !== undefined) return known
  const { type, id } = version
  const content = version.deleted ? await parts.store.version(type, id, version.versionId - 1) : version
  if (content === undefined || content.deleted) return { state: undefined, asked: version.deleted }
  const resource = parseStored(content, parts)
  const values = parts.index(resource)
  const { relations: _, ...attributes } = accessAttributes(resource, id, values, await writtenAbout({ type, id }, resource, parts))
  const found = remember(parts.store, version.seq, { attributes, ...contextOf(resource, parts), met: new Map() })
  return { state: recalled({ type, id }, found, () => values, parts), asked: version.deleted }
}

/** The same where nothing need be asked for it, because it was asked before. */
export const stateKnown = (version: StoredVersion, parts: StateParts): StateFound | undefined => {
  const known = memoryOf(parts.store).get(version.seq)
  return known && { state: recalled(version, known, () => readAgain(version, parts), parts), asked: false }
}

/** The conditions of a deleted state are not looked into: it is shown to whom its attributes let, and tells nothing but that it is gone. */
const readAgain = (version: StoredVersion, parts: StateParts): IndexValues | undefined =>
  version.deleted ? undefined : parts.index(parseStored(version, parts))

/** A state that is not stored yet. */
export const newState = (resource: Resource, id: string, values: IndexValues, attributes: AccessAttributes, parts: StateParts): State => {
  const key = { type: resource.resourceType, id }
  const speaksOf = namedForPatients(resource).map(named => named.id)
  const known = recalled(key, { attributes, ...contextOf(resource, parts), met: new Map() }, () => values, parts)
  return speaksOf.length === 0 ? known : Object.assign(known, { speaksOf })
}

const recalled = ({ type, id }: Key, known: Remembered, valuesOf: () => IndexValues | undefined, parts: StateParts): State => {
  let values: IndexValues | undefined
  return {
    type,
    id,
    attributes: known.attributes,
    context: known.context,
    meets(condition) {
      const text = `${condition.code}=${condition.values.join()}`
      if (known.met.has(text)) return known.met.get(text)
      values ??= valuesOf()
      const node = values && paramNode(type, condition, parts)
      const result = node && values && evaluate(node, { type, id, values, patients: known.attributes.patients })
      if (known.met.size < conditionsMax) known.met.set(text, result)
      return result
    },
  }
}

/** Whom a resource is about may stand in what it speaks of. */
const writtenAbout = async (key: Key, resource: Resource, parts: StateParts): Promise<Written> =>
  namedForPatients(resource).length === 0 ? {} : (await surroundingsOf([{ key, resource, follows: false }], undefined, parts))(key)

/** A context that cannot be read is one that nobody passes. */
const contextOf = (resource: Resource, { settings }: StateParts): { readonly context?: Key } => {
  if (resource.resourceType !== 'Binary' || resource.securityContext === undefined) return {}
  const { reference } = resource.securityContext as { readonly reference?: unknown }
  const parsed = typeof reference === 'string' ? parseReference(reference, settings.base) : undefined
  return { context: parsed?.kind === 'local' ? { type: parsed.type, id: parsed.id } : { type: '', id: '' } }
}

// --- what tables say

/** One state, or the id of one that is not there, and all filters it will be judged by. */
export type Inquiry = {
  readonly type: string
  readonly id: string
  readonly state: State | undefined
  readonly filters: readonly AccessFilter[]
}

/** What must be asked of tables before the state can be judged by these filters; nothing where it says enough itself. */
export const inquiryOf = (state: State, filters: readonly AccessFilter[]): readonly Inquiry[] => {
  const subject = bare(state)
  const left = filters.map(filter => residual(filter, subject)).filter(({ op }) => op !== 'all' && op !== 'none')
  return left.length === 0 ? [] : [{ type: state.type, id: state.id, state, filters: left }]
}

/** Subjects that know what tables say of them, and what was asked to know it. */
export type Informed = ((state: State) => AccessSubject) & { readonly asked: { readonly relations: boolean; readonly consents: boolean } }

const nothingAsked: Informed = Object.assign((state: State) => bare(state), { asked: { relations: false, consents: false } })

/** Relations that stand beside those of the store. */
export type Besides = (relation: PatientsFilter, patient: string) => boolean

const questionsAtOnce = 1_000

/** Consents first, since what they come to may ask for relations; then all relations in one question. */
export const lookUp = async (
  inquiries: readonly Inquiry[],
  call: Call,
  parts: Pick<Parts, 'store'>,
  besides?: Besides,
): Promise<Informed> => {
  if (inquiries.length === 0 && besides === undefined) return nothingAsked
  const only = inquiries.length === 1 && besides === undefined ? inquiries[0] : undefined
  if (only?.filters.length === 1) {
    const patients = patientsOf(only.state, only.id)
    if (patients.length === 1) return lookUpOne(only, patients[0] as string, call, parts) // one
  }
  const consents = new Map<string, Map<string, AccessFilter>>()
  const answers = new Map<PatientsFilter, Map<string, boolean>>()
  const asked: { readonly relation: PatientsFilter; readonly patient: string }[] = []
  const askRelations = (lookups: ReturnType<typeof lookupsOf>, patients: readonly string[]): void => {
    for (const relation of lookups) {
      if (relation.op !== 'patients' || relation.of.length === 0) continue
      const known = answers.get(relation) ?? new Map<string, boolean>()
      answers.set(relation, known)
      for (const patient of patients) {
        if (known.has(patient)) continue
        known.set(patient, false)
        asked.push({ relation, patient })
      }
    }
  }
  for (const { type, id, state, filters } of inquiries) {
    const patients = patientsOf(state, id)
    for (const filter of filters) {
      const lookups = lookupsOf(filter)
      askRelations(lookups, patients)
      for (const consent of lookups) {
        if (consent.op !== 'consent') continue
        const known = consents.get(textOf(consent)) ?? new Map<string, AccessFilter>()
        const key = consentKey(type, patients)
        const found = known.get(key) ?? call.access.consents.of(consent, type, patients)
        // What is at hand is not waited for.
        const words = 'then' in found ? await found : found
        consents.set(textOf(consent), known.set(key, words))
        askRelations(lookupsOf(words), patients)
      }
    }
  }
  for (let at = 0; at < asked.length; at += questionsAtOnce) {
    const block = asked.slice(at, at + questionsAtOnce)
    const related = await parts.store.related(block.map(({ relation, patient }) => questionOf(relation, patient)))
    for (const [index, { relation, patient }] of block.entries()) answers.get(relation)?.set(patient, related[index] === true)
  }
  const relates = (relation: PatientsFilter, patient: string): boolean | undefined =>
    besides?.(relation, patient) === true ? true : answers.get(relation)?.get(patient)
  const informed = (state: State): AccessSubject =>
    knowing(state, relates, consent => consents.get(textOf(consent))?.get(consentKey(state.type, patientsOf(state, state.id))))
  informed.asked = { relations: asked.length > 0, consents: consents.size > 0 }
  return informed
}

type Relates = NonNullable<AccessSubject['relates']>

/** A state with what tables say; `wordsOf`: what a consent came to, where it was asked. What is about nobody is closed by nobody. */
const knowing = (state: State, relates: Relates, wordsOf: (consent: ConsentFilter) => AccessFilter | undefined): AccessSubject => {
  const subject: AccessSubject = {
    ...bare(state),
    relates,
    consents: consent => {
      if (state.attributes.patients.length === 0) return true
      const words = wordsOf(consent)
      return words && permits(words, subject)
    },
  }
  return subject
}

/** The same of one filter for a state about one patient: what a read asks. */
const lookUpOne = async (
  { type, id, filters }: Inquiry,
  patient: string,
  call: Call,
  { store }: Pick<Parts, 'store'>,
): Promise<Informed> => {
  const relations: PatientsFilter[] = []
  const consents: ConsentFilter[] = []
  const words: AccessFilter[] = []
  for (const one of lookupsOf(filters[0] as AccessFilter)) {
    if (one.op === 'consent') {
      const found = call.access.consents.of(one, type, [patient])
      consents.push(one)
      words.push('then' in found ? await found : found)
    } else if (one.of.length > 0) relations.push(one)
  }
  for (const said of words) for (const one of lookupsOf(said)) if (one.op === 'patients' && one.of.length > 0) relations.push(one)
  const answers = relations.length === 0 ? [] : await store.related(relations.map(relation => questionOf(relation, patient)))
  const relates = (relation: PatientsFilter, of: string): boolean | undefined => {
    const at = of === patient ? relations.indexOf(relation) : -1
    return at < 0 ? undefined : answers[at] === true
  }
  const informed = (state: State): AccessSubject =>
    knowing(state, relates, consent => (state.id === id ? words[consents.indexOf(consent)] : undefined))
  return Object.assign(informed, { asked: { relations: relations.length > 0, consents: consents.length > 0 } })
}

/** What is not there is asked about like what is, under its own id: so is what a new state speaks of, whose patients nobody knows then. */
const patientsOf = (state: State | undefined, id: string): readonly string[] => {
  const patients = state?.attributes.patients ?? []
  return patients.length === 0 ? (state?.speaksOf ?? [id]) : patients
}

const consentKey = (type: string, patients: readonly string[]): string => `${type} ${patients.join()}`

const texts = new WeakMap<ConsentFilter, string>()

/** What tells equal filters: made once, since a decision keeps its filters. */
const textOf = (consent: ConsentFilter): string => {
  const known = texts.get(consent)
  if (known !== undefined) return known
  const text = JSON.stringify(consent)
  texts.set(consent, text)
  return text
}

const questionOf = ({ from, of, confirmed }: PatientsFilter, patient: string): RelationQuestion =>
  confirmed === undefined ? { from, of, patient } : { from, of, patient, confirmed }

/** What the state says of itself; relations and consents are unknown. */
export const bare = ({ id, attributes, meets }: State): AccessSubject => ({
  id,
  patients: attributes.patients,
  organizations: attributes.organizations,
  authors: attributes.authors,
  confidentiality: attributes.confidentiality,
  sensitivities: attributes.sensitivities ?? none,
  meets,
})

const none: readonly string[] = []

/** Relations that rows of versions which are about to be stored give. */
export const relationsBeside =
  (rows: readonly Relation[], now: number): Besides =>
  ({ from, of, confirmed }, patient) =>
    rows.some(
      row =>
        row.from === from &&
        row.patient === patient &&
        of.includes(row.of) &&
        (confirmed !== true || row.self !== true) &&
        (row.since ?? now) <= now &&
        now < (row.until ?? Number.POSITIVE_INFINITY),
    )
