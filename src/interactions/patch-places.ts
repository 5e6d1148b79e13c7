import { isShownWhole } from '../auth/policy/hidden-elements.ts'
import type { Definitions } from '../fhir/definitions/definitions.ts'
import type { PatchDocument } from './patch-document.ts'
import type { Sight } from './sight.ts'

/**
 * Whether a patch names only what the caller sees whole: `test` would guess values, `copy` and `move` would show them. What the patch names is told by its top
 * elements, before anything is evaluated; a path that is more than names and places in lists tells nothing, and is refused. Who may write and not read
 * at all puts, replaces and removes, and tries nothing.
 * @see auth.md 5.4
 */
export const touchesShownOnly = (document: PatchDocument, sight: Sight, type: string, definitions: Definitions): boolean => {
  if (sight.views.length === 0) return true
  const elements = elementsNamed(document, type)
  const views = sight.views.filter(layer => layer.length > 0)
  const isBlind = views.length < sight.views.length
  if (isBlind && (elements === undefined || tries(document))) return false
  if (views.length === 0) return true
  return elements?.every(element => element !== '' && isShownWhole(views, type, [element], definitions)) === true
}

const trying: ReadonlySet<unknown> = new Set(['test', 'copy', 'move'])

const tries = ({ kind, value }: PatchDocument): boolean =>
  kind === 'json-patch' && Array.isArray(value) && value.some(operation => !isRecord(operation) || trying.has(operation.op))

/** `''` is the whole resource; undefined where it cannot be told. */
const elementsNamed = ({ kind, value }: PatchDocument, type: string): readonly string[] | undefined => {
  if (kind === 'merge-patch') return isRecord(value) ? Object.keys(value) : undefined
  if (kind === 'json-patch') return Array.isArray(value) ? whole(value.flatMap(pointersOf).map(firstStep)) : undefined
  const operations = isRecord(value) && Array.isArray(value.parameter) ? value.parameter : undefined
  return operations && whole(operations.map(operation => pathNamed(operation, type)))
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const whole = (elements: readonly (string | undefined)[]): readonly string[] | undefined =>
  elements.includes(undefined) ? undefined : (elements as readonly string[]) // none undefined

const pointersOf = (operation: unknown): readonly unknown[] =>
  isRecord(operation) ? [operation.path, ...('from' in operation ? [operation.from] : [])] : [undefined]

/** `/name/0/family` is about `name`. */
const firstStep = (pointer: unknown): string | undefined => {
  if (typeof pointer !== 'string' || (pointer !== '' && !pointer.startsWith('/'))) return undefined
  return pointer.split('/', 2)[1]?.replaceAll('~1', '/').replaceAll('~0', '~') ?? ''
}

const plainPath = /^([A-Z]\w*)((?:\.\w+(?:\[\d+\])?)*)$/

/** `Patient.name[0].family` is about `name`; an `add` to `Patient` about what it is named. */
const pathNamed = (operation: unknown, type: string): string | undefined => {
  const parts = isRecord(operation) && Array.isArray(operation.part) ? operation.part.filter(isRecord) : []
  const textOf = (name: string): unknown => parts.find(part => part.name === name)?.valueString
  const path = textOf('path')
  const [, head, rest = ''] = (typeof path === 'string' && plainPath.exec(path)) || []
  if (head !== type) return undefined
  const [, first] = rest.split('.')
  if (first !== undefined) return first.replace(/\[\d+\]$/, '')
  const name = textOf('name')
  return typeof name === 'string' ? name : ''
}
