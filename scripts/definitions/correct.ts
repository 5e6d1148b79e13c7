import {
  changeComponents,
  changeConstraints,
  changeElements,
  changeSearchTargets,
  dropConstraints,
  dropElements,
  dropSearchParameters,
  dropStructures,
  dropTerminology,
  kept,
  resourceIdType,
  restoreElements,
} from './corrections.ts'
import type { Constraint, ElementDefinition, Published } from './package.ts'

const demand = (found: unknown, what: string): void => {
  if (!found) throw new Error(`The package no longer has what corrections.ts corrects: ${what}. Review the table.`)
}

const elementsOf = ({ structures }: Published, path: string): ElementDefinition[] => {
  const type = path.split('.')[0] ?? ''
  return structures.get(type)?.snapshot.element ?? []
}

const elementAt = (published: Published, path: string): ElementDefinition => {
  const element = elementsOf(published, path).find(candidate => candidate.path === path)
  demand(element, path)
  return element as ElementDefinition // demanded on the line above
}

const constraintAt = (published: Published, path: string, key: string): Constraint => {
  const constraint = elementAt(published, path).constraint?.find(candidate => candidate.key === key)
  demand(constraint, `${path} ${key}`)
  return constraint as Constraint // demanded on the line above
}

const dropElement = (published: Published, path: string): void => {
  const elements = elementsOf(published, path)
  const start = elements.findIndex(element => element.path === path)
  demand(start >= 0, path)
  const rest = elements.slice(start + 1).findIndex(element => !element.path.startsWith(`${path}.`))
  elements.splice(start, rest < 0 ? elements.length - start : rest + 1)
}

const restoreElement = (published: Published, after: string, element: ElementDefinition): void => {
  const elements = elementsOf(published, after)
  const place = elements.findIndex(candidate => candidate.path === after)
  demand(place >= 0, after)
  demand(!elements.some(candidate => candidate.path === element.path), `${element.path} was absent`)
  elements.splice(place + 1, 0, element)
}

const correctElements = (published: Published): void => {
  for (const [type, names] of Object.entries(dropElements)) for (const name of names) dropElement(published, `${type}.${name}`)
  for (const { path, was, is } of changeElements) {
    const element = elementAt(published, path)
    for (const [member, value] of Object.entries(was)) {
      demand(holds(element[member as keyof ElementDefinition], value), `${path}.${member}`)
    }
    Object.assign(element, is)
  }
  for (const { after, element } of restoreElements) restoreElement(published, after, { ...element })
  for (const structure of published.structures.values()) {
    if (structure.kind === 'resource') correctIdType(elementAt(published, `${structure.type}.id`))
  }
}

/** Whether `actual` says all that `expected` says; more is allowed in objects (extensions, descriptions), not in lists. */
const holds = (actual: unknown, expected: unknown): boolean => {
  if (typeof expected !== 'object' || expected === null) return actual === expected
  if (typeof actual !== 'object' || actual === null) return false
  if (Array.isArray(expected)) {
    return Array.isArray(actual) && actual.length === expected.length && expected.every((item, i) => holds(actual[i], item))
  }
  return Object.entries(expected).every(([name, value]) => holds((actual as Record<string, unknown>)[name], value))
}

const correctIdType = (element: ElementDefinition): void => {
  const fhirType = element.type?.[0]?.extension?.find(extension => extension.url.endsWith('structuredefinition-fhir-type'))
  demand(fhirType?.valueUrl === resourceIdType.was, `FHIR type of ${element.path}`)
  element.type = [{ code: resourceIdType.is }]
}

const correctConstraints = (published: Published): void => {
  for (const { path, key } of dropConstraints) {
    constraintAt(published, path, key)
    const element = elementAt(published, path)
    element.constraint = (element.constraint ?? []).filter(constraint => constraint.key !== key)
  }
  for (const { path, key, was, is } of changeConstraints) {
    const constraint = constraintAt(published, path, key)
    demand(constraint.expression === was, `${path} ${key} expression`)
    constraint.expression = is
  }
  for (const { path, key, contains } of kept) {
    demand(constraintAt(published, path, key).expression?.includes(contains), `${path} ${key}, a repair we keep`)
  }
}

const correctSearchParameters = ({ searchParameters }: Published): void => {
  for (const id of dropSearchParameters) demand(searchParameters.delete(id), `SearchParameter ${id}`)
  for (const { id, was, is } of changeSearchTargets) {
    const parameter = searchParameters.get(id)
    demand(parameter?.target?.toSorted().join() === was.join(), `targets of SearchParameter ${id}`)
    if (parameter) parameter.target = [...is]
  }
  for (const { id, definition, was, is } of changeComponents) {
    const component = searchParameters.get(id)?.component?.find(one => one.definition.endsWith(`/${definition}`))
    demand(component?.expression === was, `component ${definition} of SearchParameter ${id}`)
    if (component) component.expression = is
  }
  for (const { id, expression } of searchParameters.values()) {
    demand(!/ as |\.as\(/.test(expression ?? ''), `${id} without \`as\`, a repair we keep`)
  }
}

/** Applies corrections.ts in place; throws, naming the row, when one does not find what it corrects. */
export const correct = (published: Published): Published => {
  // The definition goes first: its id is already corrected in the package, which the rule for ids would stumble over.
  for (const id of dropStructures) demand(published.structures.delete(id), `StructureDefinition ${id}`)
  demand(published.codeSystems.delete(dropTerminology.codeSystem), dropTerminology.codeSystem)
  demand(published.valueSets.delete(dropTerminology.valueSet), dropTerminology.valueSet)
  correctElements(published)
  correctConstraints(published)
  correctSearchParameters(published)
  return published
}
