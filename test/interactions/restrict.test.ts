import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Allowed, seeing } from '../../src/auth/access.ts'
import { type AccessFilter, seesAll } from '../../src/base/access-filter.ts'
import { groupByAccess } from '../../src/interactions/group-by-access.ts'
import { type Restricted, restrict } from '../../src/interactions/restrict.ts'
import type { Node, ParamRef, Query } from '../../src/search/tree.ts'
import { type TestParts, testParts } from '../support/parts.ts'

const mine: AccessFilter = { op: 'patient', id: '1' }
const filters: Readonly<Record<string, AccessFilter>> = { Patient: mine, Observation: mine, Basic: { op: 'none' } }
const some = seeing((type: string): AccessFilter => filters[type] ?? seesAll)
const all = seeing(() => seesAll)

const subject: ParamRef = { type: 'Observation', code: 'subject', kind: 'reference' }
const anything: Node = { op: 'all' }
const query = (type: string, where: Node): Query => ({ parts: [{ type, where }], sort: [] })
const guarded = (filter: AccessFilter): Node => ({ op: 'and', of: [anything, { op: 'access', filter }] })

describe('access travels in the question', () => {
  let parts: TestParts
  beforeAll(async () => {
    parts = await testParts()
  })
  afterAll(async () => parts[Symbol.asyncDispose]())

  const restricted = async (asked: Query, access: Allowed): Promise<Restricted> => {
    const outcome = await restrict(asked, { ...parts.context(), access }, parts)
    if (!outcome.ok) throw new Error(outcome.failure.kind)
    return outcome.value
  }

  test('one type leaves its filter to the store', async () => {
    const asked = query('Patient', anything)
    expect(await restricted(asked, some)).toEqual({ query: asked, access: mine })
  })

  test('several types carry one each, and what may not be seen asks for nothing', async () => {
    const parts = ['Patient', 'Basic', 'Location'].map(type => ({ type, where: anything }))
    expect(await restricted({ parts, sort: [] }, some)).toEqual({
      query: {
        parts: [
          { type: 'Patient', where: guarded(mine) },
          { type: 'Basic', where: { op: 'none' } },
          { type: 'Location', where: anything },
        ],
        sort: [],
      },
      access: seesAll,
    })
  })

  test('steps of chains and steps back are guarded, under not and or too', async () => {
    const chain = (where: Node): Node => ({ op: 'chain', param: subject, of: [{ type: 'Patient', where }] })
    const reverse = (where: Node): Node => ({ op: 'reverse', param: subject, of: { type: 'Observation', where } })
    const nested = (where: Node): Node => ({ op: 'not', of: { op: 'or', of: [chain(where), reverse(where), { op: 'none' }] } })
    expect(await restricted(query('Location', nested(anything)), some)).toMatchObject({ query: query('Location', nested(guarded(mine))) })
  })

  test('who sees everything asks the very question', async () => {
    const asked = query('Patient', { op: 'and', of: [anything, { op: 'not', of: anything }] })
    expect((await restricted(asked, all)).query).toBe(asked)
  })
})

test('types are read together under one filter, hidden ones not at all', () => {
  expect(groupByAccess(['Patient', 'Basic', 'Observation', 'Location'], some)).toEqual([
    { filter: mine, types: ['Patient', 'Observation'] },
    { filter: seesAll, types: ['Location'] },
  ])
  expect(groupByAccess(['Patient', 'Basic'], all)).toEqual([{ filter: seesAll, types: ['Patient', 'Basic'] }])
})
