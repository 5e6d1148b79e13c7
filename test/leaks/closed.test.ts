/**
 * A.12 52 and 55, T22: what is broken, over, or not understood opens nothing. And what is hidden inside a resource that may be seen stays so, whatever is asked or
 * tried of it (auth.md 5.4).
 */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { type Account, accountRecords } from '../../src/auth/accounts/account.ts'
import { type Client, clientRecords } from '../../src/auth/clients/client.ts'
import { type GrantContext, grantRecords } from '../../src/auth/grants/grant-context.ts'
import { MongoClient } from 'mongodb'
import { readRoles } from '../../src/auth/roles/read-roles.ts'
import { secretHash } from '../../src/auth/secrets.ts'
import { type LibraryRow, libraryRecords } from '../../src/auth/server/library-rows.ts'
import { type Session, sessionRecords } from '../../src/auth/sessions/session.ts'
import { testDefinitions } from '../support/definitions.ts'
import { testEngines } from '../support/engines.ts'
import { fakeOnly } from '../support/fake-time.ts'
import { shippedRoles } from '../support/roles.ts'
import { type Caller, plantCallers, plantToken } from './callers.ts'
import { type Hospitals, makeHospitals } from './hospitals.ts'
import { plantAll, plantHospitals } from './oracle.ts'
import { type ClosedServer, type Received, startClosed } from './server.ts'

const json = { 'content-type': 'application/fhir+json' }

for (const engine of testEngines)
  describe(engine.name, () => {
    let server: ClosedServer
    let hospitals: Hospitals
    let callers: readonly Caller[]
    beforeAll(async () => {
      server = await startClosed(engine)
      hospitals = makeHospitals('qxz', false)
      await plantHospitals(server.open, hospitals)
      callers = await plantCallers(server.store, hospitals, `${server.base}/fhir`)
    }, 120_000)
    afterAll(async () => server?.[Symbol.asyncDispose]())

    const tokenOf = (name: string): string => {
      const token = callers.find(caller => caller.name === name)?.tokens[0]
      if (token === undefined) throw new Error(`nobody is called ${name}`)
      return token
    }
    const doctor = 'doctor of A, user/*.cruds'
    const receptionist = 'receptionist of A, user/*.cruds'
    const ask = (
      token: string,
      path: string,
      method = 'GET',
      body?: string,
      headers: Readonly<Record<string, string>> = json,
    ): Promise<Received> =>
      server.send({
        method,
        path: `/fhir${path}`,
        headers: { ...headers, authorization: `Bearer ${token}` },
        ...(body === undefined ? {} : { body }),
      })
    const patient = () => `/Patient/${hospitals.id('A', 'Patient')}`

    /** What a token of the doctor of A is kept as. */
    const kept = async (): Promise<NonNullable<LibraryRow['payload']>> => {
      const row = await server.store.records<LibraryRow>(libraryRecords).get(secretHash(tokenOf(doctor)))
      if (row?.value.payload === undefined) throw new Error('no token')
      return row.value.payload
    }
    const grantOf = async (change: Partial<GrantContext>): Promise<string> => {
      const payload = await kept()
      const records = server.store.records<GrantContext>(grantRecords)
      const grant = await records.get(payload.grantId ?? '')
      if (grant === undefined) throw new Error('no grant')
      const id = `grant-${JSON.stringify(change).length}-${Object.keys(change).join('-')}`
      await records.put({ ...grant.value, ...change, id })
      return plantToken(server.store, { model: 'AccessToken', payload: { ...payload, grantId: id } })
    }

    describe('A.12 52: tokens', () => {
      const past = Math.floor(Date.now() / 1000) - 60
      const rows: Readonly<Record<string, () => Promise<string>>> = {
        expired: async () => plantToken(server.store, { model: 'AccessToken', payload: { ...(await kept()), exp: past } }),
        'of another audience': async () =>
          plantToken(server.store, { model: 'AccessToken', payload: { ...(await kept()), aud: 'https://other.example/fhir' } }),
        'of several audiences': async () =>
          plantToken(server.store, {
            model: 'AccessToken',
            payload: { ...(await kept()), aud: [`${server.base}/fhir`, 'https://other.example/fhir'] },
          }),
        'without an audience': async () => {
          const { aud: _, ...payload } = await kept()
          return plantToken(server.store, { model: 'AccessToken', payload })
        },
        'without an end': async () => plantToken(server.store, { model: 'AccessToken', payload: { ...(await kept()), exp: Number.NaN } }),
        'of another kind': async () => plantToken(server.store, { model: 'RefreshToken', payload: await kept() }),
        'without a client': async () => {
          const { clientId: _, ...payload } = await kept()
          return plantToken(server.store, { model: 'AccessToken', payload })
        },
        'of a client that is not there': async () =>
          plantToken(server.store, { model: 'AccessToken', payload: { ...(await kept()), clientId: 'client-nobody' } }),
        'of another client than its grant': async () => {
          const { rows: all } = await server.store
            .records<Client>(clientRecords)
            .range('status', { from: ['active'], to: ['active'], limit: 100 })
          const other = all.find(({ value }) => value.id !== undefined)?.value.id ?? ''
          const payload = await kept()
          const clientId = other === payload.clientId ? (all.at(-1)?.value.id ?? '') : other
          return plantToken(server.store, { model: 'AccessToken', payload: { ...payload, clientId } })
        },
        'of another account than its grant': async () =>
          plantToken(server.store, { model: 'AccessToken', payload: { ...(await kept()), accountId: 'account-nobody' } }),
        'of no grant': async () => {
          const { grantId: _, ...payload } = await kept()
          return plantToken(server.store, { model: 'AccessToken', payload })
        },
        'of a grant that was withdrawn': () => grantOf({ revoked: { at: 1, by: 'cli', reason: 'user' } }),
        'of a grant that is over': () => grantOf({ expires: 1 }),
        'of a grant of another epoch': () => grantOf({ epoch: 7 }),
        'of a grant of a session that is not there': () => grantOf({ session: 'session-nobody' }),
        'of a person, as if it were of a service': async () =>
          plantToken(server.store, { model: 'ClientCredentials', payload: await kept() }),
      }
      for (const [what, made] of Object.entries(rows))
        test(`${what}: refused, and nothing said`, async () => {
          const received = await ask(await made(), patient())
          // A service without grants is known, and reaches nothing.
          expect(what === 'of a person, as if it were of a service' ? [401, 403] : [401]).toContain(received.status)
          expect([...hospitals.wordsIn(received.text)]).toEqual([])
        })

      test('ended accounts, sessions and applications end their tokens', async () => {
        const [account, session, client] = [
          ['account', accountRecords, (value: Account): Account => ({ ...value, status: 'disabled' })],
          ['session', sessionRecords, (value: Session): Session => ({ ...value, expires: 1 })],
          ['client', clientRecords, (value: Client): Client => ({ ...value, status: 'suspended' })],
        ] as const
        for (const [what, definition, change] of [account, session, client]) {
          const [one] = await plantCallers(server.store, hospitals, `${server.base}/fhir`, () => [doctor], 2)
          const row = await server.store.records<LibraryRow>(libraryRecords).get(secretHash(one?.tokens[0] ?? ''))
          const payload = row?.value.payload
          const grant = await server.store.records<GrantContext>(grantRecords).get(payload?.grantId ?? '')
          const key = { account: payload?.accountId, session: grant?.value.session, client: payload?.clientId }[what] ?? ''
          const records = server.store.records<object>(definition)
          const before = await records.get(key)
          if (before === undefined) throw new Error(what)
          await records.put((change as (value: object) => object)(before.value))
          expect([what, (await ask(one?.tokens[1] ?? '', patient())).status]).toEqual([what, 401])
        }
      })
    })

    describe('a clock that jumps', () => {
      const jumped = async (ms: number, then: () => Promise<void>) => {
        fakeOnly(['Date'], Date.now() + ms)
        try {
          await then()
        } finally {
          jest.useRealTimers()
        }
      }
      const anew = async (): Promise<string> => {
        const [one] = await plantCallers(server.store, hospitals, `${server.base}/fhir`, () => [doctor])
        return one?.tokens[0] ?? ''
      }

      test('ahead: tokens, sessions and grants are over', async () => {
        const token = await anew()
        expect((await ask(token, patient())).status).toBe(200)
        await jumped(7_200_000, async () => expect((await ask(token, patient())).status).toBe(401))
      })

      test('back: nothing that was remembered lives longer for it', async () => {
        const token = await anew()
        expect((await ask(token, patient())).status).toBe(200)
        const row = await server.store.records<LibraryRow>(libraryRecords).get(secretHash(token))
        const accounts = server.store.records<Account>(accountRecords)
        const account = await accounts.get(row?.value.payload?.accountId ?? '')
        if (account === undefined) throw new Error('no account')
        // As another node does, whose wake-up is lost.
        await accounts.put({ ...account.value, status: 'disabled' })
        await jumped(-86_400_000, async () => expect((await ask(token, patient())).status).toBe(401))
      })
    })

    describe('A.12 55: what is not understood', () => {
      const scoped = async (scope: string) => plantToken(server.store, { model: 'AccessToken', payload: { ...(await kept()), scope } })
      for (const scope of [
        '',
        'user/*.RS',
        'user/*.sr',
        'user/*',
        'user/Pasien.rs',
        'users/*.rs',
        'user/Patient.rs?unknown=1',
        'user/Patient.rs?name:exact=x',
        'user/Patient.rs?organization.name=x',
        'patient/*.rs',
        'system/*.rs',
        '*/*.rs',
        'user/../*.rs',
        '__admin',
        'launch openid fhirUser offline_access',
      ])
        test(`the scope "${scope}" opens no patient`, async () => {
          const token = await scoped(scope)
          for (const path of [
            patient(),
            '/Patient',
            '/?_type=Patient&_id=x',
            `${patient()}/_history`,
            '/Patient/_history',
            `${patient()}/*`,
          ]) {
            const received = await ask(token, path)
            expect([path, [401, 403, 404].includes(received.status) || JSON.parse(received.text).entry === undefined]).toEqual([path, true])
            expect([...hospitals.wordsIn(received.text)].filter(word => !path.includes(word))).toEqual([])
          }
        })

      test('an unknown role, and a role at a place that is not there, open nothing', async () => {
        const account = (await kept()).accountId ?? ''
        const records = server.store.records<Account>(accountRecords)
        const before = await records.get(account)
        if (before === undefined) throw new Error('no account')
        for (const roles of [
          [{ role: 'surgeon-general', givenBy: 'cli' }],
          [{ role: 'doctor', organization: 'Organization/not-there', givenBy: 'cli' }],
          [{ role: 'doctor', organization: '../Organization', givenBy: 'cli' }],
          [{ role: 'doctor', organization: `Organization/${hospitals.id('A', 'Organization')}`, until: 1, givenBy: 'cli' }],
          [{ role: 'doctor', organization: `Organization/${hospitals.id('A', 'Organization')}`, from: Date.now() + 1e9, givenBy: 'cli' }],
          [],
        ]) {
          await records.put({ ...before.value, roles })
          const token = await plantToken(server.store, { model: 'AccessToken', payload: await kept() })
          expect([roles, [403, 404].includes((await ask(token, patient())).status)]).toEqual([roles, true])
        }
        await records.put(before.value)
      })

      test('roles that cannot be read start no server', () => {
        const shipped = shippedRoles() as Record<string, unknown>
        for (const broken of [
          undefined,
          {},
          [],
          { ...shipped, groups: undefined },
          { ...shipped, roles: { doctor: { home: 'F', cells: { G1: ['rus@F if nothing-known'] } } } },
          { ...shipped, roles: { doctor: { home: 'Z', cells: {} } } },
          { ...shipped, groups: { ...(shipped.groups as object), G1: ['Patient'] } },
        ])
          expect(readRoles(broken, testDefinitions()).ok).toBe(false)
      })

      test('a consent that cannot be read closes the record, across patients and one by one', async () => {
        const [family, id] = ['both', hospitals.id('both', 'Patient')] as const
        const consent = await server.store.newest('Consent', hospitals.id(family, 'Consent'))
        const sent = JSON.parse(Buffer.from(consent?.text ?? '').toString())
        const condition = hospitals.id(family, 'Condition')
        const across = () => ask(tokenOf(doctor), '/Condition?_count=200')
        expect((await across()).text).toContain(`${condition}t`)
        // What came in by another way, before the rule that refuses it or where sign-in was off, is not trusted.
        const unreadable = {
          ...sent,
          status: 'active',
          provision: { type: 'deny', action: [{ text: 'x' }], dataPeriod: { start: 'gestern' } },
        }
        await plantAll(server.open, [unreadable])
        const paths = [
          `/Condition?patient=${id}`,
          `/Condition/${condition}`,
          `/Patient/${id}/Condition`,
          `/Patient/${id}`,
          `/Condition/${condition}/_history`,
        ]
        for (const path of paths)
          expect([path, hospitals.wordsIn((await ask(tokenOf(doctor), path)).text).has(`${condition}t`)]).toEqual([path, false])
        expect((await across()).text).not.toContain(`${condition}t`)
      })

      test('12.2: no consent is written that cannot be enforced, and what one closes is closed with its write, whatever was known before', async () => {
        const id = hospitals.id('A', 'Patient')
        const condition = hospitals.id('A', 'Condition')
        const paths = [`/Condition?patient=${id}`, `/Condition/${condition}`, '/Condition?_count=200']
        for (const path of paths) expect([path, (await ask(tokenOf(doctor), path)).text.includes(`${condition}t`)]).toEqual([path, true])
        const newest = await server.store.newest('Consent', hospitals.id('closed', 'Consent'))
        const { id: _, ...closing } = JSON.parse(
          Buffer.from(newest?.text ?? '')
            .toString()
            .replaceAll(hospitals.id('closed', 'Patient'), id),
        )
        const unreadable = { ...closing, provision: { ...closing.provision, action: [{ text: 'x' }] } }
        expect((await ask(tokenOf(doctor), '/Consent', 'POST', JSON.stringify(unreadable))).status).toBe(422)
        expect((await ask(tokenOf(doctor), '/Consent', 'POST', JSON.stringify(closing))).status).toBe(201)
        for (const path of paths) expect([path, (await ask(tokenOf(doctor), path)).text.includes(`${condition}t`)]).toEqual([path, false])
      })
    })

    describe('elements that are hidden', () => {
      const ofWard = () => hospitals.id('B', 'Patient')
      const numbers = () => `3171${ofWard()}i`

      test('a masked identity: neither its values nor their order are shown', async () => {
        const token = tokenOf(receptionist)
        const read = await ask(token, `/Patient/${ofWard()}`)
        expect(read.status).toBe(200)
        expect([...hospitals.wordsIn(read.text)].toSorted()).toEqual([ofWard(), `${ofWard()}n`, `${ofWard()}t`].toSorted())
        for (const sort of ['identifier', '-identifier', 'phone', 'address']) {
          const sorted = await ask(token, `/Patient?_sort=${sort}&_count=50`)
          const found: readonly string[] =
            sorted.status === 200 ? (JSON.parse(sorted.text).entry ?? []).map((one: { resource: { id: string } }) => one.resource.id) : []
          expect([sort, found.includes(ofWard())]).toEqual([sort, false])
        }
      })

      test('patches that would guess or move what is hidden are refused before they are tried', async () => {
        const token = tokenOf(receptionist)
        const id = hospitals.id('ward', 'Encounter')
        const word = `${id}w`
        const tried = async (operations: readonly object[]) => {
          const { status, text } = await ask(token, `/Encounter/${id}`, 'PATCH', JSON.stringify(operations), {
            'content-type': 'application/json-patch+json',
          })
          return [status, text.replaceAll(word, 'WORD')]
        }
        const right = await tried([{ op: 'test', path: '/reasonCode/0/text', value: word }])
        expect(right[0]).toBe(403)
        expect(await tried([{ op: 'test', path: '/reasonCode/0/text', value: 'WORD' }])).toEqual(right)
        for (const operation of [
          { op: 'copy', from: '/reasonCode/0/text', path: '/identifier/0/value' },
          { op: 'move', from: '/reasonCode', path: '/type' },
          { op: 'test', path: '/reasonCode', value: null },
          { op: 'test', path: '', value: {} },
          { op: 'remove', path: '/reasonCode/0' },
        ])
          expect([operation, (await tried([operation]))[0]]).toEqual([operation, 403])
        const path = async (text: string) => {
          const part = [
            { name: 'type', valueCode: 'delete' },
            { name: 'path', valueString: text },
          ]
          return (
            await ask(
              token,
              `/Encounter/${id}`,
              'PATCH',
              JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'operation', part }] }),
            )
          ).status
        }
        for (const text of [
          'Encounter.reasonCode',
          `Encounter.identifier.where(%resource.reasonCode.text = '${word}')`,
          'Encounter.descendants().first()',
        ])
          expect([text, await path(text)]).not.toEqual([text, 200])
        expect((await server.store.newest('Encounter', id))?.versionId).toBe(1)
      })

      test('of what is seen in part it is not told whether there is more', async () => {
        const token = tokenOf('billing of A, user/*.cruds')
        const statuses = async (...paths: readonly string[]) => Promise.all(paths.map(async path => (await ask(token, path)).status))
        expect(await statuses('/Condition?code:missing=false', '/Condition?code:missing=true')).toEqual([403, 403])
        expect(await statuses('/Condition?code=x', '/Condition?onset-date:missing=true')).toEqual([200, 200])
      })

      test('searches by what is hidden find nothing of it', async () => {
        const token = tokenOf(receptionist)
        for (const path of [
          `/Encounter?reason-code=x`,
          `/Patient?phone=${ofWard()}c`,
          `/Patient?telecom:not=${ofWard()}c`,
          `/Patient?address=${ofWard()}r`,
          `/Patient?_text=${ofWard()}v`,
          `/Patient?_content=${ofWard()}v`,
          `/Patient?identifier:text=${numbers()}`,
          `/Patient?_filter=phone eq ${ofWard()}c`.replaceAll(' ', '%20'),
          `/Observation?subject:Patient.phone=${ofWard()}c`,
        ]) {
          const received = await ask(token, path)
          const found =
            received.status === 200
              ? (JSON.parse(received.text).entry ?? []).filter((one: { resource?: { id?: string } }) => one.resource?.id === ofWard())
              : []
          expect([path, found]).toEqual([path, []])
        }
      })
    })

    test('A.12 55: without its table of relations a store opens nothing', async () => {
      await using broken = await startClosed(engine)
      const small = makeHospitals('zwq', false)
      await plantHospitals(broken.open, small)
      const made = await plantCallers(broken.store, small, `${broken.base}/fhir`, names =>
        names.filter(name => name.includes('of A, user/*.cruds')),
      )
      await dropRelations(broken.address)
      const [patientId, observation] = [small.id('A', 'Patient'), small.id('A', 'Observation')]
      for (const { name, tokens } of made) {
        if (!/^(?:doctor|lab) of A, user\/\*.cruds$/.test(name)) continue
        for (const path of [
          `/Patient/${patientId}`,
          '/Observation',
          `/Observation/${observation}`,
          `/Observation?patient=${patientId}`,
          `/Patient/${patientId}/*`,
          '/Observation/_history',
          `/Encounter?_include=*`,
        ]) {
          const received = await broken.send({ path: `/fhir${path}`, headers: { authorization: `Bearer ${tokens[0]}` } })
          const entries = received.status === 200 ? (JSON.parse(received.text).entry ?? []) : []
          expect([name, path, entries, [...small.wordsIn(received.text)].filter(word => !path.includes(word))]).toEqual([
            name,
            path,
            [],
            [],
          ])
        }
      }
    }, 60_000)
  })

/** As a broken copy or a hand in the database would. */
const dropRelations = async (address: string): Promise<void> => {
  if (address.startsWith('sqlite:')) {
    const { DatabaseSync } = await import('node:sqlite')
    const database = new DatabaseSync(address.slice('sqlite:'.length))
    database.exec('DROP TABLE relation')
    database.close()
    return
  }
  const client = new MongoClient(address)
  await client.db(new URL(address).pathname.slice(1)).collection('simpul.relations').drop()
  await client.close()
}
