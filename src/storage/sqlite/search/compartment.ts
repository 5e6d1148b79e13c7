import { unionMax } from '../../../search/plain.ts'
import type { Node } from '../../../search/tree.ts'
import { id } from './id.ts'
import type { Arm, LeafCompiler } from './leaf.ts'
import { param } from './param.ts'
import type { Reading } from './reading.ts'
import { never, type Sql, some, sql } from './sql.ts'

type Compartment = Extract<Node, { op: 'compartment' }>

/** Who refers to the owner by any of the parameters; the owner itself is in its own compartment (`_id`). */
export const compartment: LeafCompiler<Compartment> = {
  traits: leaf => ({ ordered: leaf.params.length <= unionMax, check: 1 }),
  arms(leaf, type, reading) {
    const { iid, numbers } = asked(leaf, reading)
    const own = holdsOwner(leaf) && type === leaf.owner.type ? id.arms({ op: 'id', ids: [leaf.owner.id] }, type, reading) : []
    if (iid === undefined || numbers.length === 0) return own
    return [...own, ...(numbers.length <= unionMax ? numbers.map(p => arm(p, iid, reading)) : [listArm(numbers, iid, reading)])]
  },
  check(leaf, type, seq, reading) {
    const { iid, numbers } = asked(leaf, reading)
    const x = reading.alias()
    const ways: Sql[] = []
    if (iid !== undefined && numbers.length > 0)
      ways.push(
        sql`exists (select 1 from ref ${x} indexed by ref_f where ${x}.seq = ${seq} and +${x}.iid = ${iid}
          and ${x}.p in (select value from json_each(${JSON.stringify(numbers)})))`,
      )
    if (holdsOwner(leaf) && type === leaf.owner.type) ways.push(id.check?.({ op: 'id', ids: [leaf.owner.id] }, type, seq, reading) ?? never)
    return some(ways)
  },
}

const holdsOwner = ({ params }: Compartment): boolean => params.some(({ code }) => code === '_id')

const asked = ({ owner, params }: Compartment, reading: Reading) => ({
  iid: reading.iid(owner.type, owner.id),
  numbers: params.flatMap(one => (one.code === '_id' ? [] : (param(one, reading) ?? []))),
})

const arm = (p: number, iid: number, reading: Reading): Arm => {
  const x = reading.alias()
  return { from: sql`ref ${x}`, where: sql`${x}.p = ${p} and ${x}.iid = ${iid}`, seq: sql`${x}.seq`, unique: true }
}

const listArm = (numbers: readonly number[], iid: number, reading: Reading): Arm => {
  const list = reading.alias()
  const x = reading.alias()
  const from = sql`json_each(${JSON.stringify(numbers)}) ${list} cross join ref ${x}`
  return { from, where: sql`${x}.p = ${list}.value and ${x}.iid = ${iid}`, seq: sql`${x}.seq`, unique: false }
}
