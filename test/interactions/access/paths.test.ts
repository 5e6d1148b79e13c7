/**
 * auth.md 5.4, A.12 53 and 54: whatever path is taken, everybody is shown what the policy lets him see, all of it, and nothing else. What is expected is told
 * by hand beside each record.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Principal } from '../../../src/auth/policy/principal.ts'
import { testEngines } from '../../support/engines.ts'
import { bundle, entry, type Heard } from '../speak.ts'
import { askers, expected, type Hospital, nameOf, openHospital, told } from './hospital.ts'

type Resource = { readonly resourceType: string; readonly id: string }

const entriesOf = ({ body }: Heard): readonly { readonly resource?: Resource; readonly search?: { readonly mode: string } }[] =>
  body?.entry ?? []
const names = (heard: Heard, mode?: string): readonly string[] =>
  entriesOf(heard)
    .flatMap(({ resource, search }) =>
      resource !== undefined && search?.mode !== 'outcome' && (mode === undefined || search?.mode === mode)
        ? [`${resource.resourceType}/${resource.id}`]
        : [],
    )
    .toSorted()

const types = ['Patient', 'Encounter', 'Observation', 'Condition', 'Practitioner', 'Organization']

for (const engine of testEngines)
  describe(engine.name, () => {
    let hospital: Hospital
    beforeAll(async () => {
      hospital = await openHospital(engine)
    })
    afterAll(async () => hospital[Symbol.asyncDispose]())

    for (const [who, principal] of Object.entries(askers))
      describe(who, () => {
        const readable = expected(principal, 'read')
        const findable = expected(principal, 'search-type')
        const of = (type: string, all: ReadonlySet<string>): readonly string[] =>
          [...all].filter(name => name.startsWith(`${type}/`)).toSorted()

        test('reads, and reads versions and histories of, what he may see', async () => {
          const seen = { read: [] as string[], vread: [] as string[], history: [] as string[] }
          for (const one of told) {
            const name = nameOf(one)
            if ((await hospital.ask(principal, 'GET', name)).status === 200) seen.read.push(name)
            if ((await hospital.ask(principal, 'GET', `${name}/_history/1`)).status === 200) seen.vread.push(name)
            if (names(await hospital.ask(principal, 'GET', `${name}/_history`)).length > 0) seen.history.push(name)
          }
          const all = [...readable].toSorted()
          expect({ read: seen.read.toSorted(), vread: seen.vread.toSorted(), history: seen.history.toSorted() }).toEqual({
            read: all,
            vread: all,
            history: all,
          })
        })

        test('reads the same in a batch', async () => {
          const heard = await hospital.ask(principal, 'POST', '', {
            body: bundle(
              'batch',
              told.map(one => entry('GET', nameOf(one))),
            ),
          })
          expect(names(heard)).toEqual([...readable].toSorted())
        })

        for (const type of types)
          test(`finds every ${type}, and its versions`, async () => {
            const heard = await hospital.ask(principal, 'GET', `${type}?_count=50&_total=accurate`)
            const versions = await hospital.ask(principal, 'GET', `${type}/_history?_count=50`)
            const wanted = of(type, findable)
            if (heard.status === 403) {
              expect([wanted, versions.status]).toEqual([[], 403])
              return
            }
            expect([names(heard), heard.body.total]).toEqual([wanted, wanted.length])
            expect(names(versions)).toEqual(wanted)
          })

        test('finds and counts one by one by ids, pages full and true', async () => {
          const paged: string[] = []
          let heard = await hospital.ask(principal, 'GET', 'Observation?_count=1&_sort=_id')
          for (let pages = 0; heard.status === 200 && pages < 30; pages += 1) {
            paged.push(...names(heard))
            const next = heard.body.link.find(({ relation }: { relation: string }) => relation === 'next')?.url
            if (next === undefined) break
            expect(names(heard)).toHaveLength(1)
            heard = await hospital.ask(principal, 'GET', next.slice(next.indexOf('/fhir/') + 6))
          }
          expect(paged.toSorted()).toEqual(heard.status === 403 ? [] : of('Observation', findable))
        })

        test('finds in the whole system and in compartments what he finds by type', async () => {
          const system = await hospital.ask(principal, 'GET', `?_count=100&_type=${types.join()}`)
          const all = types.flatMap(type => of(type, findable)).toSorted()
          expect(system.status === 403 ? [] : names(system)).toEqual(all)
          for (const id of ['budi', 'siti', 'agus', 'hana']) {
            const heard = await hospital.ask(principal, 'GET', `Patient/${id}/Observation?_count=50`)
            const wanted = of('Observation', findable).filter(name => name.startsWith(`Observation/${id}-`))
            expect(names(heard).filter(name => !wanted.includes(name))).toEqual([])
            if (heard.status === 200) expect(names(heard)).toEqual(wanted)
          }
        })

        test('is brought nothing by an include, forwards or back, that he may not see', async () => {
          const visible = new Set([...readable, ...findable])
          for (const url of [
            'Observation?_include=Observation:subject&_include=Observation:encounter&_count=50',
            'Observation?_include=Observation:encounter&_include:iterate=Encounter:service-provider&_include:iterate=Encounter:participant',
            'Patient?_revinclude=Observation:subject&_revinclude=Condition:subject&_revinclude=Encounter:subject',
            'Encounter?_include=*&_revinclude=*&_count=50',
            'Organization?_revinclude=Encounter:service-provider&_revinclude:iterate=Observation:encounter',
          ]) {
            const heard = await hospital.ask(principal, 'GET', url)
            const shown = names(heard)
            expect(shown.filter(name => !visible.has(name))).toEqual([])
          }
        })

        test('learns nothing by chains and steps back', async () => {
          for (const [url, type, step] of [
            ['Encounter?subject:Patient.family=', 'Encounter', 'Patient'],
            ['Observation?subject:Patient.family=', 'Observation', 'Patient'],
            ['Observation?encounter.service-provider=rs&subject:Patient.family=', 'Observation', 'Encounter'],
            ['Patient?_has:Condition:subject:code=A00&family=', 'Patient', 'Condition'],
            ['Patient?_has:Observation:patient:code=8867-4&family=', 'Patient', 'Observation'],
          ] as const) {
            for (const family of ['budi', 'siti', 'agus', 'hana']) {
              const heard = await hospital.ask(principal, 'GET', `${url}${family}`)
              const steps = of(step, findable).filter(name => name.includes(family))
              if (heard.status === 403) continue
              expect(names(heard).filter(name => !of(type, findable).includes(name))).toEqual([])
              if (steps.length === 0) expect([url, family, names(heard)]).toEqual([url, family, []])
            }
          }
        })
      })

    test('a record says by which grants somebody came in, what denied him, and that a glass was broken', async () => {
      const { audited } = hospital.parts
      await hospital.ask(askers["a doctor who broke the glass for Siti's record"], 'GET', 'Observation/siti-restricted')
      expect(audited.at(-1)).toMatchObject({ outcome: 'success', marks: ['break-glass'], rule: expect.stringContaining('doctor/G7') })
      await hospital.ask(askers['a receptionist'], 'GET', 'Condition')
      expect(audited.at(-1)).toMatchObject({ outcome: 'denied', status: 403, rule: 'role' })
      await hospital.ask(askers['a receptionist'], 'GET', 'Encounter?reason-code=x')
      expect(audited.at(-1)).toMatchObject({ outcome: 'denied', status: 403 })
    })

    test('A.12 53: rights below the scopes bind: a receptionist with user/*.cruds reads no Condition', async () => {
      const principal: Principal = { ...(askers['a receptionist'] as Principal), ...scopesOf('a doctor in an app for everything') }
      expect(await hospital.ask(principal, 'GET', 'Condition/budi-condition')).toMatchObject({ status: 403, kind: 'forbidden' })
      expect(await hospital.ask(principal, 'GET', 'Condition')).toMatchObject({ status: 403, kind: 'forbidden' })
    })

    const scopesOf = (who: string): Pick<Principal, 'scopes' | 'clientId'> => {
      const { scopes = [], clientId = '' } = askers[who] as Principal
      return { scopes, clientId }
    }
  })
