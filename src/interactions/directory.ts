import type { ConsentParts } from '../auth/consent/consents.ts'
import type { RoleReachParts } from '../auth/relations/role-reach.ts'
import { seesAll } from '../base/access-filter.ts'
import type { Resource } from '../fhir/model/resource.ts'
import type { Node, Query } from '../search/tree.ts'
import type { Parts } from './parts.ts'
import { parseStored } from './stored-resource.ts'

/** What identity asks of the resources themselves, whoever the caller is: places and people of the installation, consents of patients. */
export type Directory = Omit<RoleReachParts, 'clock'> & Pick<ConsentParts, 'activeConsents'>

/** More active consents than these are read as one that closes everything. */
const consentsMax = 100

export const createDirectory = (parts: Pick<Parts, 'store' | 'limits'>): Directory => {
  const { store } = parts
  const ask = async (
    type: string,
    where: Node,
    limit: number,
  ): Promise<{ readonly found: readonly Resource[]; readonly more: boolean }> => {
    const query: Query = { parts: [{ type, where }], sort: [] }
    const page = await store.search(query, { access: seesAll, count: limit })
    // Without a deadline and a snapshot nothing is expected to fail. Whoever asked lets nobody in.
    if (!page.ok) throw new Error(`the directory cannot be read: ${page.failure.kind}`)
    return { found: page.value.rows.map(row => withId(parseStored(row, parts), row.id)), more: page.value.more }
  }
  return {
    referring: (type, code, targets, limit) =>
      targets.length === 0 ? Promise.resolve({ found: [], more: false }) : ask(type, referenceTo(type, code, targets), limit),
    all: async (type, limit) => (await ask(type, { op: 'all' }, limit)).found,
    newest: async (type, id) => {
      const version = await store.newest(type, id)
      return version === undefined || version.deleted ? undefined : withId(parseStored(version, parts), id)
    },
    activeConsents: async patient => {
      const active: Node = { op: 'token', param: { type: 'Consent', code: 'status', kind: 'token' }, code: 'active' }
      const where: Node = { op: 'and', of: [referenceTo('Consent', 'patient', [`Patient/${patient}`]), active] }
      const { found, more } = await ask('Consent', where, consentsMax)
      return { consents: found, more }
    },
  }
}

const withId = (resource: Resource, id: string): Resource => ({ ...resource, id })

const referenceTo = (type: string, code: string, targets: readonly string[]): Node => {
  const of = targets.map((target): Node => {
    const [of = '', id = ''] = target.split('/')
    return { op: 'reference', param: { type, code, kind: 'reference' }, type: of, id }
  })
  const [only] = of
  return of.length === 1 && only !== undefined ? only : { op: 'or', of }
}
