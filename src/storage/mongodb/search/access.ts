import { confidentialityLevels, type PatientsFilter } from '../../../base/access-filter.ts'
import type { Access, Leaf, Traits } from '../../../search/plan.ts'
import {
  authorEntry,
  beginningWith,
  codeOfPatientEntry,
  codeParam,
  confidentialityEntry,
  nobodyEntry,
  ownerEntry,
  patientEntry,
  sensitivityEntries,
  sensitivityEntry,
} from '../entries.ts'
import { every, type Filter, not } from './filter.ts'
import { type Entries, type LeafCompiler, mergedMax, points, ranges, type Words } from './leaf.ts'

type Token = Extract<Leaf, { op: 'token' }>
type Labels = Extract<Access['filter'], { op: 'labels' }>
export type Clearance = Access & { readonly filter: Labels }
/** A relation of so many that each candidate is asked of `simpul.relations`. */
export type Asked = Access & { readonly filter: PatientsFilter; readonly patients?: undefined }

export const isAsked = (leaf: Leaf): leaf is Asked => leaf.op === 'access' && leaf.filter.op === 'patients' && leaf.patients === undefined

/** Privacy compartment, author and owner stand among the tokens; so do labels other than normal. A relation is its patients, where those are few. */
export const access: LeafCompiler<Access> = {
  traits,
  entries: leaf => (leaf.filter.op === 'labels' ? labelled(leaf.filter) : withRest(points('tk', entriesOf(leaf)), leaf)),
  check(leaf) {
    const { filter, patients } = leaf
    if (filter.op === 'labels') return every([{ conf: { $lte: confidentialityLevels[filter.max] } }, isCleared(filter)])
    if (filter.op === 'patientless') return { patients: [] }
    if (patients !== undefined) return { patients: { $in: patients } }
    return every([{ 'ix.tk': { $in: entriesOf(leaf) } }, ...(isAlone(leaf) ? [alone] : [])])
  },
}

/** Of a walk that merges those of many values, each costs a seek (µs) before the first document. */
const seek = 4
/** So few are no matter. */
const seeksFree = 8

function traits(leaf: Access): Traits {
  const { filter, patients } = leaf
  switch (filter.op) {
    case 'owner':
      return { ordered: filter.organizations.length <= mergedMax, check: 0.7 * filter.organizations.length }
    case 'labels':
      return filter.max in below ? { ordered: true, check: 0.5 } : { ordered: false, check: 0.5, undrivable: true }
    case 'patients':
      if (patients === undefined) return { ordered: false, check: asking, undrivable: true }
      // Each block of them comes by seq, and there are few blocks.
      return { ordered: true, check: 0.7, ...(patients.length > seeksFree ? { before: seek * patients.length } : {}) }
    default:
      return { ordered: true, check: 0.7 }
  }
}

/** A candidate's part of a question for 200 of them. */
const asking = 10

const entriesOf = (leaf: Access): readonly string[] => {
  const { filter, patients } = leaf
  switch (filter.op) {
    case 'patient':
      return [patientEntry(filter.id)]
    case 'patientless':
      return [nobodyEntry]
    case 'author':
      return [authorEntry(filter.ref)]
    case 'owner':
      return filter.organizations.map(ownerEntry)
    case 'patients':
      if (patients === undefined) throw new Error('Who is in a large relation is asked of each candidate')
      return patients.map(patientEntry)
    default:
      throw new Error(`No entries say ${filter.op}`)
  }
}

const isAlone = ({ filter }: Access): boolean => filter.op === 'patient' && filter.only === true
const alone: Filter = { patients: { $size: 1 } }

const withRest = (entries: readonly Entries[], leaf: Access): readonly Entries[] =>
  isAlone(leaf) ? entries.map(one => ({ ...one, rest: alone })) : entries

/** The same with one code of the parameter `code`, where the leaf is about patients: fewer of the same documents. Undefined where there are no such entries. */
export const entriesWithCode = (leaf: Access, { param, system, code }: Token, words: Words): readonly Entries[] | undefined => {
  const patients = leaf.filter.op === 'patient' ? [leaf.filter.id] : leaf.patients
  if (patients === undefined || param.code !== codeParam || system === undefined || code === undefined) return undefined
  const number = words.system(system)
  if (number === undefined) return []
  return withRest(
    points(
      'tk',
      patients.map(patient => codeOfPatientEntry(patient, number, code)),
    ),
    leaf,
  )
}

/** Below normal only what says so passes. */
const below: Readonly<Record<string, readonly number[]>> = { U: [0], L: [0, 1], M: [0, 1, 2] }

const labelled = (filter: Labels): readonly Entries[] =>
  points('tk', (below[filter.max] ?? []).map(confidentialityEntry)).map(one => ({ ...one, rest: isCleared(filter) }))

/** Every sensitivity is allowed. */
const isCleared = ({ allowed }: Labels): Filter =>
  allowed.length === 0 ? { sens: { $exists: false } } : not({ sens: { $elemMatch: { $nin: allowed } } })

/** What a clearance of normal or more keeps out, few as they are; a resource may have several of these. */
export const closedTo = ({ max, allowed }: Labels): readonly Entries[] => {
  const above = Object.values(confidentialityLevels).filter(level => level > Math.max(confidentialityLevels[max], confidentialityLevels.N))
  const ends = [...new Set(allowed)].map(sensitivityEntry).toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const { from, before } = beginningWith(sensitivityEntries)
  const gaps = [...ends, before].map((end, n) => ({
    'ix.tk': { $elemMatch: { [n === 0 ? '$gte' : '$gt']: ends[n - 1] ?? from, $lt: end } },
  }))
  return [...points('tk', above.map(confidentialityEntry)), ...ranges('tk', gaps)]
}
