import type { Ruling } from '../auth/access.ts'
import { type Looking, searchableWhere } from '../auth/policy/hidden-elements.ts'
import { simplified } from '../auth/policy/simplify.ts'
import { type AccessFilter, type ConsentFilter, lookupsOf, seesAll } from '../base/access-filter.ts'
import { fail, type Outcome, ok } from '../base/outcome.ts'
import { type Facts, normalise } from '../search/normalise.ts'
import { holdsOneDate } from '../search/parameters.ts'
import type { Node, ParamRef, Part, Query } from '../search/tree.ts'
import { assuming, saidOnce } from './assume.ts'
import { paramNode } from './param-node.ts'
import type { Call, Parts } from './parts.ts'
import { ownPatients } from './sight.ts'

/** A query and what the store must apply to it as a whole. */
export type Restricted = { readonly query: Query; readonly access: AccessFilter }

/** What holds for the matches of a type, in place of what the interaction asked for gives. */
export type RulingOf = (type: string) => Ruling | undefined

/**
 * Puts what the caller may see into the question: matches, steps of chains and steps back each under the filter of their own type, so
 * that nobody learns by a chain what a read would hide. A search of one type leaves its filter to the store, which plans with it.
 * Fails `forbidden` or `insufficient-scope` where the caller may not search a type in the path of a chain, or not by what a parameter looks at: the
 * answer would tell it.
 * @see auth.md 5.4
 */
export const restrict = async (query: Query, call: Call, parts: Parts, rulingOf?: RulingOf): Promise<Outcome<Restricted>> => {
  const { access } = call
  if (access.open) return ok({ query, access: seesAll })
  const own: RulingOf = rulingOf ?? (type => access.ruling(access.interaction, type))
  const restriction = new Restriction(call, parts)
  const sortedBy = query.sort.map(({ code }) => code)
  const [only, ...others] = query.parts
  if (only !== undefined && others.length === 0) {
    const ruling = own(only.type)
    if (ruling === undefined) return refused(access.refusal(access.interaction, only.type))
    const inner = await restriction.part(only, ruling, sortedBy)
    if (!inner.ok) return inner
    const { where, filter } = inner.value
    return ok({ query: where === only.where ? query : { ...query, parts: [{ ...only, where }] }, access: filter })
  }
  const restricted: Part[] = []
  for (const part of query.parts) {
    const ruling = own(part.type)
    // What may not be searched is left out of a search of many types.
    const inner = ruling === undefined ? ok({ where: none, filter: seesAll }) : await restriction.part(part, ruling, sortedBy)
    if (!inner.ok) return inner
    restricted.push(withFilter(part, inner.value))
  }
  const searched = query.parts.some(({ type }) => own(type) !== undefined)
  if (!searched && query.parts[0] !== undefined) return refused(access.refusal(access.interaction, query.parts[0].type))
  return ok({ query: { ...query, parts: restricted }, access: seesAll })
}

const none: Node = { op: 'none' }

const refused = (failure: ReturnType<Call['access']['refusal']>): { readonly ok: false; readonly failure: typeof failure } => ({
  ok: false,
  failure,
})

/** `filter`: what engines know; the rest stands in `where`. */
type Inner = { readonly where: Node; readonly filter: AccessFilter }

const withFilter = (part: Part, { where, filter }: Inner): Part => {
  if (filter.op === 'all') return where === part.where ? part : { ...part, where }
  if (filter.op === 'none' || where.op === 'none') return { ...part, where: none }
  const access: Node = { op: 'access', filter }
  return { ...part, where: { op: 'and', of: where.op === 'and' ? [...where.of, access] : [where, access] } }
}

/** One request's restrictions: what was found out for one node is known for the next. */
class Restriction {
  readonly #call: Call
  readonly #parts: Parts
  readonly #facts: Facts
  readonly #filters = new Map<string, Promise<Inner>>()
  readonly #fields = new Map<string, AccessFilter>()

  constructor(call: Call, parts: Parts) {
    this.#call = call
    this.#parts = parts
    this.#facts = { holdsOneDate: param => holdsOneDate(parts.definitions, param) }
  }

  /** The conditions of a part with their own steps restricted, and the filter of its rows. `lookedAt`: parameters beside the conditions. */
  async part(part: Part, ruling: Ruling, lookedAt: readonly string[] = []): Promise<Outcome<Inner>> {
    const rows: AccessFilter[] = [ruling.filter]
    const where = await this.#node(part.where, part.type, ruling, rows)
    if (!where.ok) return where
    for (const code of lookedAt) {
      const seen = this.#searchable(part.type, code, ruling, 'order')
      if (!seen.ok) return seen
      rows.push(seen.value)
    }
    const all = await Promise.all(rows.filter(({ op }) => op !== 'all').map(filter => this.#inWords(filter, part)))
    const filters = all.flatMap(({ filter }) => (filter.op === 'all' ? [] : [filter]))
    const nodes = all.flatMap(inner => (inner.where.op === 'all' ? [] : [inner.where]))
    if (nodes.length === 0) return ok({ where: where.value, filter: joinedFilter(filters) })
    return ok({ where: normalise({ op: 'and', of: [where.value, ...nodes] }, this.#facts), filter: joinedFilter(filters) })
  }

  /** The very node when nothing in it steps to another type. `rows` gathers those in which its parameters are seen. */
  async #node(node: Node, type: string, ruling: Ruling, rows: AccessFilter[]): Promise<Outcome<Node>> {
    switch (node.op) {
      case 'and':
      case 'or': {
        const of: Node[] = []
        for (const part of node.of) {
          const inner = await this.#node(part, type, ruling, rows)
          if (!inner.ok) return inner
          of.push(inner.value)
        }
        return ok(of.every((part, at) => part === node.of[at]) ? node : { ...node, of })
      }
      case 'not': {
        const of = await this.#node(node.of, type, ruling, rows)
        return of.ok ? ok(of.value === node.of ? node : { ...node, of: of.value }) : of
      }
      case 'chain': {
        const seen = this.#searchable(type, node.param.code, ruling)
        if (!seen.ok) return seen
        rows.push(seen.value)
        const of: Part[] = []
        for (const part of node.of) {
          const step = await this.#step(part)
          if (!step.ok) return step
          of.push(step.value)
        }
        return ok({ ...node, of })
      }
      case 'reverse': {
        const of = await this.#step(node.of, node.param.code)
        return of.ok ? ok({ ...node, of: of.value }) : of
      }
      case 'all':
      case 'none':
      case 'id':
      case 'lastUpdated':
      case 'access':
        return ok(node)
      case 'compartment':
        return ok(await this.#compartment(node, type, ruling))
      default: {
        // What is seen in part has words, too, of which nothing is told: not even that they are there.
        const seen = this.#searchable(type, node.param.code, ruling, node.op === 'missing' ? 'companion' : undefined)
        if (!seen.ok) return seen
        rows.push(seen.value, this.#rowsNotCopied(node, type, ruling))
        return ok(node)
      }
    }
  }

  /** Whoever is shown an AuditEvent as a copy finds it by what the copy names: the other patients of the event are not among it. */
  #rowsNotCopied(node: Node, type: string, { obligations }: Ruling): AccessFilter {
    if (node.op !== 'reference' || !this.#looksAtEntities(type, node.param.code)) return seesAll
    if (node.type === 'Patient' && ownPatients(this.#call.principal).has(node.id)) return seesAll
    const rows = obligations.flatMap(one => (one.kind === 'patient-copy' ? [one.unless] : []))
    return rows.length === 0 ? seesAll : simplified({ op: 'and', of: rows })
  }

  #looksAtEntities(type: string, code: string): boolean {
    const expression = this.#parts.definitions.searchParameters(type).get(code)?.expression
    return type === 'AuditEvent' && expression?.includes('AuditEvent.entity') === true
  }

  /** A step to another type needs the right to search it, and sees of it what a search would. `back`: the parameter by which it refers here. */
  async #step(part: Part, back?: string): Promise<Outcome<Part>> {
    const { access } = this.#call
    const ruling = access.ruling('search-type', part.type)
    if (ruling === undefined) return refused(access.refusal('search-type', part.type))
    const inner = await this.part(part, ruling, back === undefined ? [] : [back])
    return inner.ok ? ok(withFilter(part, inner.value)) : inner
  }

  /** A compartment is made of what is seen of it: a parameter counts in the rows in which the caller sees what it looks at. */
  async #compartment(node: Extract<Node, { op: 'compartment' }>, type: string, ruling: Ruling): Promise<Node> {
    const seenIn = new Map<string, { readonly rows: AccessFilter; readonly params: ParamRef[] }>()
    for (const param of node.params) {
      const seen = this.#searchable(type, param.code, ruling)
      if (!seen.ok) continue
      const key = JSON.stringify(seen.value)
      const known = seenIn.get(key) ?? { rows: seen.value, params: [] }
      known.params.push(param)
      seenIn.set(key, known)
    }
    const [first] = seenIn.values()
    if (first?.rows.op === 'all' && first.params.length === node.params.length) return node
    const alternatives = [...seenIn.values()].map(async ({ rows, params }) => {
      const part: Part = { type, where: { ...node, params } }
      const { where, filter } = await this.#inWords(rows, part)
      return withFilter(part, { where: where.op === 'all' ? part.where : { op: 'and', of: [part.where, where] }, filter }).where
    })
    return normalise({ op: 'or', of: await Promise.all(alternatives) }, this.#facts)
  }

  /** The rows in which the caller sees what the parameter looks at, well enough for the use that is made of it; fails `forbidden` where there are none. */
  #searchable(type: string, code: string, { fields }: Ruling, looking?: Looking): Outcome<AccessFilter> {
    if (fields.length === 0) return ok(seesAll)
    const key = `${type} ${code} ${looking ?? ''}`
    const known = this.#fields.get(key) ?? rowsSeenBy(fields, type, code, this.#parts, looking)
    this.#fields.set(key, known)
    return known.op === 'none' ? fail('forbidden', {}) : ok(known)
  }

  /** The filter in words of engines, and what they do not know as conditions of a search. */
  #inWords(filter: AccessFilter, part: Part): Promise<Inner> {
    const patient = patientOf(part, filter)
    // Of one patient more is known than words say.
    if (isPlain(filter) && !(patient?.all === true && lookupsOf(filter).length > 0))
      return Promise.resolve({ where: { op: 'all' }, filter: saidOnce(filter) })
    const key = JSON.stringify([part.type, patient, filter])
    const known = this.#filters.get(key) ?? this.#translate(filter, part.type, patient)
    this.#filters.set(key, known)
    return known
  }

  /**
   * Where every row is about one patient, relations that he stands in hold of every row. Where what he closed leaves none to ask of, they are asked of nobody:
   * he costs what one costs who never was.
   */
  async #relationsKnown(filter: AccessFilter, patient: string, owed: boolean): Promise<AccessFilter> {
    const relations = lookupsOf(filter).filter(word => word.op === 'patients')
    if (relations.length === 0) {
      if (owed) await this.#parts.store.related([{ from: 'care', of: ['-'], patient }])
      return filter
    }
    const questions = relations.map(({ from, of, confirmed }) => ({ from, of, patient, ...(confirmed && { confirmed }) }))
    const answers = await this.#parts.store.related(questions)
    const known = new Set<AccessFilter>(relations.filter((_, at) => answers[at] === true))
    return assuming(filter, word => known.has(word))
  }

  async #translate(filter: AccessFilter, type: string, patient: PatientAsked | undefined): Promise<Inner> {
    const said = simplified(await withoutConsents(filter, type, patient, this.#call))
    const known = patient?.all === true ? await this.#relationsKnown(said, patient.id, asksRelations(filter)) : said
    // Whatever was concluded from it is made sure of.
    const words = saidOnce(patient?.unsure === true ? simplified({ op: 'and', of: [{ op: 'patient', id: patient.id }, known] }) : known)
    const conjuncts = words.op === 'and' ? words.of : [words]
    const plain = conjuncts.filter(isPlain)
    const rest = conjuncts.filter(part => !isPlain(part))
    const nodes = rest.map(part => asNode(part, type, true, this.#parts))
    return { filter: joinedFilter(plain), where: nodes.length === 0 ? { op: 'all' } : { op: 'and', of: nodes } }
  }
}

const asksRelations = (filter: AccessFilter): boolean => lookupsOf(filter).some(({ op }) => op === 'patients')

const joinedFilter = (filters: readonly AccessFilter[]): AccessFilter => {
  const parts = filters.filter(({ op }) => op !== 'all')
  const [only, ...others] = parts
  if (only === undefined) return seesAll
  return others.length === 0 ? only : { op: 'and', of: parts }
}

/** The rows in which these rules show what a parameter looks at. */
export const rowsSeenBy = (
  fields: Ruling['fields'],
  type: string,
  code: string,
  { definitions }: Parts,
  looking?: Looking,
): AccessFilter => {
  if (fields.length === 0) return seesAll
  const [name = ''] = code.split(':')
  const definition = definitions.searchParameters(type).get(name)
  return definition === undefined
    ? { op: 'none' }
    : searchableWhere(fields, type, definition, definitions, looking ?? (name === code ? 'values' : 'companion'))
}

/** Whether engines know all its words. */
const isPlain = (filter: AccessFilter): boolean => {
  if (filter.op === 'and' || filter.op === 'or') return filter.of.every(isPlain)
  if (filter.op === 'not') return isPlain(filter.of)
  return filter.op !== 'param' && filter.op !== 'consent'
}

/** Consents in words of engines and parameters: to the letter where the rows are of one patient, else cautiously. */
const withoutConsents = async (
  filter: AccessFilter,
  type: string,
  patient: PatientAsked | undefined,
  call: Call,
): Promise<AccessFilter> => {
  switch (filter.op) {
    case 'and':
    case 'or':
      return { ...filter, of: await Promise.all(filter.of.map(part => withoutConsents(part, type, patient, call))) }
    case 'not':
      return { ...filter, of: await withoutConsents(filter.of, type, patient, call) }
    case 'consent':
      return inWordsOf(filter, type, patient, call)
    default:
      return filter
  }
}

const inWordsOf = async (
  consent: ConsentFilter,
  type: string,
  patient: PatientAsked | undefined,
  { access }: Call,
): Promise<AccessFilter> => {
  if (patient === undefined) return access.consents.across(consent, type)
  const exact = await access.consents.of(consent, type, [patient.id])
  if (patient.all) return exact
  const ofPatient: AccessFilter = { op: 'and', of: [{ op: 'patient', id: patient.id }, exact] }
  return { op: 'or', of: [ofPatient, access.consents.across(consent, type)] }
}

/**
 * A filter as conditions of a search. A parameter that cannot be asked lets nothing through, and where it is denied it keeps nothing out of what
 * is denied: `keeps` says on which side it stands.
 */
const asNode = (filter: AccessFilter, type: string, keeps: boolean, parts: Parts): Node => {
  if (isPlain(filter)) return { op: 'access', filter }
  switch (filter.op) {
    case 'and':
    case 'or':
      return { op: filter.op, of: filter.of.map(part => asNode(part, type, keeps, parts)) }
    case 'not':
      return { op: 'not', of: asNode(filter.of, type, !keeps, parts) }
    case 'param':
      return paramNode(type, filter, parts) ?? { op: keeps ? 'none' : 'all' }
    default:
      return { op: keeps ? 'none' : 'all' }
  }
}

// --- of whom the rows are

/** `all`: every row is about him; else some may be about others alone. `unsure`: but for references that are not as R4 has them. */
type PatientAsked = { readonly id: string; readonly all: boolean; readonly unsure?: true }

/** The one patient whom the question is about: by what is asked, or by the filter itself. */
const patientOf = ({ type, where }: Part, filter: AccessFilter): PatientAsked | undefined => {
  const id = patientOfFilter(filter)
  return id === undefined ? patientAsked(type, where) : { id, all: true }
}

/** The one patient whom a search names, as what it looks for or by whose compartment it looks. */
export const patientNamed = ({ parts: [first] }: Query): string | undefined => first && patientAsked(first.type, first.where)?.id

const aboutPatient: ReadonlySet<string> = new Set(['patient', 'subject', 'beneficiary', 'individual'])

const patientAsked = (type: string, where: Node): PatientAsked | undefined => {
  switch (where.op) {
    case 'and': {
      const found = where.of.flatMap(part => patientAsked(type, part) ?? [])
      return found.find(({ all, unsure }) => all && unsure !== true) ?? found.find(({ all }) => all) ?? found[0]
    }
    case 'or': {
      // `subject=1` may also mean a Group; by `patient` hardly. A compartment holds what its patient wrote, too.
      const people = where.of.filter(part => !isNobody(part))
      const found = people.map(part => patientAsked(type, part))
      const [first, ...others] = found.flatMap(one => one ?? [])
      if (first === undefined || others.some(({ id }) => id !== first.id)) return undefined
      const all = found.every(one => one?.all === true)
      const unsure = people.length < where.of.length || found.some(one => one?.unsure === true)
      return { id: first.id, all, ...(all && unsure && { unsure }) }
    }
    case 'id':
      return type === 'Patient' && where.ids.length === 1 ? { id: where.ids[0] as string, all: true } : undefined
    case 'reference':
      return where.type === 'Patient' && aboutPatient.has(where.param.code) ? { id: where.id, all: true } : undefined
    case 'compartment':
      return where.owner.type === 'Patient' ? { id: where.owner.id, all: false } : undefined
    default:
      return undefined
  }
}

/** What stands in elements of this name is a Patient in nearly all of R4. */
const isNobody = (node: Node): boolean => node.op === 'reference' && node.param.code === 'patient' && node.type !== 'Patient'

const patientOfFilter = (filter: AccessFilter): string | undefined => {
  if (filter.op === 'patient') return filter.id
  if (filter.op !== 'and') return undefined
  for (const part of filter.of) {
    const found = patientOfFilter(part)
    if (found !== undefined) return found
  }
  return undefined
}
