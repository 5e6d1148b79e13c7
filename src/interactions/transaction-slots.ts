import { isId } from '../base/ids.ts'
import { type Failure, fail, type Outcome, ok } from '../base/outcome.ts'
import { rule } from '../base/rules.ts'
import type { Resource } from '../fhir/model/resource.ts'
import type { Query } from '../search/tree.ts'
import { type Entry, failAll, inEntry, requestOf } from './bundle-entries.ts'
import { parseWriteConditions, type WriteConditions } from './conditions.ts'
import { criteriaOfUrl, readCriteria } from './match-criteria.ts'
import type { Call, Parts } from './parts.ts'
import { readPatch } from './patch.ts'
import type { PatchDocument } from './patch-document.ts'
import { refuseParameters } from './refuse-parameters.ts'
import type { InteractionRequest, Prefer } from './request.ts'
import { checkResource } from './resource-body.ts'
import { checkIdOfUrl } from './update.ts'

/** An entry of a transaction, read and allowed, before anything is looked up. */
export type Slot = {
  readonly entry: Entry
  readonly request: InteractionRequest
  readonly call: Call
  readonly task: Task
  /** Id of the instance, should this entry create one; the same in every attempt. */
  readonly newId: string
}

export type Task =
  | { readonly do: 'delete'; readonly type: string; readonly id?: string; readonly criteria?: Query; readonly conditions: WriteConditions }
  | { readonly do: 'create'; readonly type: string; readonly criteria?: Query; readonly resource: Resource }
  | {
      readonly do: 'update'
      readonly type: string
      readonly id?: string
      readonly criteria?: Query
      readonly conditions: WriteConditions
      readonly resource: Resource
    }
  | {
      readonly do: 'patch'
      readonly type: string
      readonly id?: string
      readonly criteria?: Query
      readonly conditions: WriteConditions
      readonly document: PatchDocument
    }
  | { readonly do: 'read' }

/** R4: DELETE, POST, PUT and PATCH, GET and HEAD; within a step, in the order sent. */
const steps: Readonly<Record<Task['do'], number>> = { delete: 1, create: 2, update: 3, patch: 3, read: 4 }

/** `Type?criteria` of a task, equal for equal questions. */
export const criteriaKey = (type: string, criteria: Query): string => `${type}?${JSON.stringify(criteria)}`

/** The slots in processing order. Fails with everything that can be said of the entries by themselves. */
export const readSlots = (entries: readonly Entry[], prefer: Prefer, call: Call, parts: Parts): Outcome<readonly Slot[]> => {
  const slots: Slot[] = []
  const failures: Failure[] = []
  for (const entry of entries) {
    const slot = readSlot(entry, prefer, call, parts)
    if (slot.ok) slots.push(slot.value)
    else failures.push(inEntry(slot.failure, entry))
  }
  if (failures.length > 0) return failAll(failures, parts.limits.issuesMax)
  return ok(slots.toSorted((a, b) => steps[a.task.do] - steps[b.task.do] || a.entry.index - b.entry.index))
}

const readSlot = (entry: Entry, prefer: Prefer, call: Call, parts: Parts): Outcome<Slot> => {
  const request = requestOf(entry, prefer, parts)
  if (!request.ok) return request
  const access = parts.decide(call.principal, request.value.interaction, request.value.type)
  if (!access.allow) return { ok: false, failure: access.failure }
  const task = taskOf(entry, request.value, parts)
  return task.ok ? ok({ entry, request: request.value, call: { ...call, access }, task: task.value, newId: parts.ids() }) : task
}

const taskOf = (entry: Entry, request: InteractionRequest, parts: Parts): Outcome<Task> => {
  switch (request.interaction) {
    case 'create':
      return createTask(entry, request, parts)
    case 'update':
      return updateTask(entry, request, parts)
    case 'patch':
      return patchTask(request, parts)
    case 'delete':
      return deleteTask(request, parts)
    case 'batch':
    case 'transaction':
      return fail('bundle-entry', { rule: rule('entry-bundle') })
    case '$break-glass':
      return fail('not-enabled', { what: request.interaction })
    default:
      return ok({ do: 'read' })
  }
}

const createTask = (entry: Entry, request: InteractionRequest, parts: Parts): Outcome<Task> => {
  const type = request.type as string // the route has one
  const refused = refuseParameters(request.parameters, 'create')
  if (!refused.ok) return refused
  const resource = checkResource(entry.resource, type, parts.definitions)
  if (!resource.ok) return resource
  const task = { do: 'create', type, resource: resource.value } as const
  const { ifNoneExist } = entry.conditions
  if (ifNoneExist === undefined) return ok(task)
  const criteria = readCriteria(type, ifNoneExist, parts)
  return criteria.ok ? ok({ ...task, criteria: criteria.value }) : criteria
}

/** The instance that a change is about: an id without parameters, or criteria. */
type Addressed = { readonly type: string; readonly id?: string; readonly criteria?: Query; readonly conditions: WriteConditions }

const addressOf = (request: InteractionRequest, parts: Parts): Outcome<Addressed> => {
  const type = request.type as string // the routes of update and patch have one
  const conditions = parseWriteConditions(request.conditions)
  if (!conditions.ok) return conditions
  const { id, parameters } = request
  if (id === undefined) {
    const criteria = criteriaOfUrl(type, parameters, parts)
    return criteria.ok ? ok({ type, criteria: criteria.value, conditions: conditions.value }) : criteria
  }
  const refused = refuseParameters(parameters, request.interaction)
  if (!refused.ok) return refused
  return isId(id) ? ok({ type, id, conditions: conditions.value }) : fail('bad-id', {})
}

const updateTask = (entry: Entry, request: InteractionRequest, parts: Parts): Outcome<Task> => {
  const address = addressOf(request, parts)
  if (!address.ok) return address
  const resource = checkResource(entry.resource, request.type, parts.definitions)
  if (!resource.ok) return resource
  const named = address.value.id === undefined ? ok(undefined) : checkIdOfUrl(resource.value, address.value.id)
  return named.ok ? ok({ do: 'update', ...address.value, resource: resource.value }) : named
}

const patchTask = (request: InteractionRequest, parts: Parts): Outcome<Task> => {
  const address = addressOf(request, parts)
  if (!address.ok) return address
  const document = readPatch(request.body, parts)
  return document.ok ? ok({ do: 'patch', ...address.value, document: document.value }) : document
}

const deleteTask = (request: InteractionRequest, parts: Parts): Outcome<Task> => {
  const off = request.id === undefined && (request.type === undefined || parts.settings.conditionalDelete === 'off')
  if (off) return fail('method-not-allowed', { method: 'DELETE' })
  const address = addressOf(request, parts)
  return address.ok ? ok({ do: 'delete', ...address.value }) : address
}
