import { applyFieldRules, rowViews } from '../../src/auth/policy/field-rules.ts'
import { type Decision, decide } from '../../src/auth/policy/decide.ts'
import { heldPermissions } from '../../src/auth/policy/held-permissions.ts'
import type { Principal } from '../../src/auth/policy/principal.ts'
import { type AccessSubject, admitsState } from '../../src/base/access-filter.ts'
import type { Resource } from '../../src/fhir/model/resource.ts'
import { bare, type State, stateOf } from '../../src/interactions/states.ts'
import { testDefinitions } from '../support/definitions.ts'
import type { TestEngine } from '../support/engines.ts'
import { type TestParts, testParts } from '../support/parts.ts'
import { testRoles } from '../support/roles.ts'
import { bundle, entry, say } from '../interactions/speak.ts'
import type { Hospitals, Instance } from './hospitals.ts'

/**
 * What a caller may see, judged state by state by the policy, with relations and consents told by hand. And a world of its own for him, in which nothing is but
 * that: whatever he asks, the closed server must answer as if it were that world.
 */

export type Judged = { readonly instance: Instance; readonly resource: Resource }

export type Seen = {
  /** `Type/id` of what may be found, as it is seen. */
  readonly found: ReadonlyMap<string, Judged>
  /** The same of what may be read. */
  readonly read: ReadonlyMap<string, Judged>
  /** Names of what may be read in its versions: all but who the caller is, which `fhirUser` opens as it is now. */
  readonly versions: ReadonlySet<string>
  /** Ids of patients for whom he is offered to break the glass. */
  readonly offered: ReadonlySet<string>
  /** Ids and words that may stand in any answer. */
  readonly words: ReadonlySet<string>
  /** Types of which some rows are seen in part alone. */
  readonly partly: ReadonlySet<string>
}

type Subject = { readonly instance: Instance; readonly state: State; readonly past: readonly State[] }
type Subjects = ReadonlyMap<string, Subject>

/** What the index says of the newest state of each instance, and of those before. */
export const subjectsOf = async (hospitals: Hospitals, open: TestParts): Promise<Subjects> => {
  // All at once: the store is asked for many in one question.
  const found = await Promise.all(hospitals.instances.map(instance => subjectOf(instance, open)))
  return new Map(found.map(subject => [`${subject.instance.type}/${subject.instance.id}`, subject]))
}

const subjectOf = async (instance: Instance, open: TestParts): Promise<Subject> => {
  const { type, id } = instance
  const newest = await open.store.newest(type, id)
  if (newest === undefined) throw new Error(`${type} was not planted`)
  const { state } = await stateOf(newest, open)
  if (state === undefined) throw new Error(`${type} has no state`)
  const past: State[] = []
  for (let number = 1; number < newest.versionId; number += 1) {
    const version = await open.store.version(type, id, number)
    const before = version && (await stateOf(version, open)).state
    if (before !== undefined) past.push(before)
  }
  return { instance, state, past }
}

export const seenBy = (principal: Principal, hospitals: Hospitals, subjects: Subjects): Seen => {
  const decisions = new Map<string, Decision>()
  const decided = (interaction: string, type: string): Decision => {
    const key = `${interaction} ${type}`
    const known = decisions.get(key) ?? decide(testRoles(), principal, interaction, type)
    decisions.set(key, known)
    return known
  }
  const subject = (state: State): AccessSubject => ({
    ...bare(state),
    relates: (relation, patient) => hospitals.relates(relation, patient),
    consents: consent => hospitals.consents(consent, state.type, state.attributes.patients),
  })
  const admits = (interaction: string, state: State): boolean => {
    const decision = decided(interaction, state.type)
    if (!decision.allow || !admitsState(decision.filter, subject(state))) return false
    if (state.context === undefined) return true
    const context = subjects.get(`${state.context.type}/${state.context.id}`)
    return context !== undefined && admits('read', context.state)
  }
  const words = new Set<string>()
  const partly = new Set<string>()
  const shown = (interaction: string, state: State, resource: Resource): Resource => {
    const decision = decided(interaction, state.type)
    const views = decision.allow ? rowViews(decision.fields, subject(state)) : []
    const reduced = views.length === 0 ? resource : applyFieldRules(resource, views, testDefinitions()).resource
    if (reduced !== resource) partly.add(state.type)
    const copied = copyFor(principal, reduced)
    if (copied !== reduced) partly.add(state.type)
    for (const word of hospitals.wordsIn(withBytes(copied))) words.add(word)
    return copied
  }
  const all = (interaction: string): ReadonlyMap<string, Judged> => {
    const found = new Map<string, Judged>()
    for (const [name, { instance, state, past }] of subjects) {
      if (!admits(interaction, state)) continue
      const decision = decided(interaction, state.type)
      for (const [at, before] of past.entries()) {
        const content = instance.states[at]
        if (content !== undefined && decision.allow && admitsState(decision.labels, subject(before)))
          shown(interaction, before, content as Resource)
      }
      const newest = instance.states.at(-1)
      if (newest === undefined) words.add(instance.id)
      else found.set(name, { instance, resource: shown(interaction, state, newest as Resource) })
    }
    return found
  }
  const versions = new Set([...subjects].flatMap(([name, { state }]) => (admits('vread', state) ? [name] : [])))
  return { found: all('search-type'), read: all('read'), versions, offered: offeredTo(principal, hospitals, subjects), words, partly }
}

/** auth.md 12.5 (6): patients whom only labels or consents close to who may break the glass. */
const offeredTo = (principal: Principal, hospitals: Hospitals, subjects: Subjects): ReadonlySet<string> => {
  const decision = decide(testRoles(), principal, 'read', 'Patient')
  if (!decision.allow || principal.kind !== 'user' || !heldPermissions(testRoles(), principal).has('break-glass')) return new Set()
  const opened = (state: State): AccessSubject => ({
    ...bare(state),
    confidentiality: 0,
    sensitivities: [],
    relates: (relation, patient) => hospitals.relates(relation, patient),
    consents: () => true,
  })
  const patients = [...subjects.values()].filter(({ state }) => state.type === 'Patient' && admitsState(decision.filter, opened(state)))
  return new Set(patients.map(({ state }) => state.id))
}

/** Content of a Binary is bytes. */
const withBytes = (resource: Resource): string => {
  const bytes =
    resource.resourceType === 'Binary' && typeof resource.data === 'string' ? Buffer.from(resource.data, 'base64').toString() : ''
  return `${JSON.stringify(resource)} ${bytes}`
}

/** A patient sees of an AuditEvent what is about him. */
const copyFor = (principal: Principal, resource: Resource): Resource => {
  const isCopy = principal.kind === 'patient' || principal.launch.patient !== undefined
  if (resource.resourceType !== 'AuditEvent' || !isCopy || !Array.isArray(resource.entity)) return resource
  const own = `Patient/${principal.launch.patient ?? principal.fhirUser?.slice('Patient/'.length)}`
  const isForeign = (one: { what?: { reference?: string } }): boolean =>
    one.what?.reference?.startsWith('Patient/') === true && one.what.reference !== own
  return resource.entity.some(isForeign) ? { ...resource, entity: resource.entity.filter(one => !isForeign(one)) } : resource
}

/** A store in which nothing is but what may be found, as it is seen. */
export const worldOf = async ({ found }: Seen, engine: TestEngine, base: string): Promise<TestParts> => {
  const parts = await testParts({ engine, settings: { base } })
  await plantAll(
    parts,
    [...found.values()].map(({ resource }) => withoutViewTags(resource)),
  )
  return parts
}

/** Nothing that is seen in part can be stored as if it were whole. */
const withoutViewTags = (resource: Resource): Resource => {
  const meta = resource.meta as { tag?: { code?: string }[]; security?: { code?: string }[] } | undefined
  if (meta === undefined) return resource
  const kept = (codings: readonly { code?: string }[] | undefined, code: string) => codings?.filter(one => one.code !== code)
  const { tag: _tag, security: _security, ...others } = meta
  const [tag, security] = [kept(meta.tag, 'SUBSETTED'), kept(meta.security, 'REDACTED')]
  // JSON without `tag` and `security` where they were only of the view.
  return {
    ...resource,
    meta: { ...others, ...(tag?.length ? { tag } : {}), ...(security?.length ? { security } : {}) } as Resource['meta'] & object,
  }
}

const entriesAtOnce = 400

/** In their order, so that they are of the same age in every world. */
export const plantAll = async (parts: TestParts, resources: readonly object[]): Promise<void> => {
  const all = resources as readonly { readonly resourceType: string; readonly id: string }[]
  for (let at = 0; at < all.length; at += entriesAtOnce) {
    const entries = all.slice(at, at + entriesAtOnce).map(one => entry('PUT', `${one.resourceType}/${one.id}`, one))
    const heard = await say(parts, 'POST', '', { body: bundle('transaction', entries) })
    if (heard.status !== 200) throw new Error(JSON.stringify(heard.failure))
  }
}

/** All instances with all their states, the oldest first. */
export const plantHospitals = async (parts: TestParts, { instances }: Hospitals): Promise<void> => {
  const most = Math.max(...instances.map(({ states }) => states.length))
  for (let at = 0; at < most; at += 1) {
    await plantAll(
      parts,
      instances.flatMap(({ states }) => {
        const state = states[at]
        return state === undefined ? [] : [state]
      }),
    )
    for (const { type, id, states } of instances) {
      if (at >= states.length || states[at] !== undefined) continue
      const gone = await say(parts, 'DELETE', `${type}/${id}`)
      if (gone.status !== 204) throw new Error(JSON.stringify(gone.failure))
    }
  }
}
