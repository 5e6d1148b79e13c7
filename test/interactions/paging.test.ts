/** Walking through pages while others write (rest-api.md 23, A5): the union of the pages is one state, nothing comes twice, in both directions. */
import { afterEach, describe, expect, test } from '@jest/globals'
import { testEngines } from '../support/engines.ts'
import { type TestParts, testBase, testParts } from '../support/parts.ts'
import { type Heard, say } from './speak.ts'

for (const engine of testEngines)
  describe(engine.name, () => {
    let parts: TestParts | undefined
    afterEach(async () => {
      await parts?.[Symbol.asyncDispose]()
      parts = undefined
    })

    const families = ['Ani', 'Budi', 'Citra', 'Dewi']
    const patient = (id: string, at: number) => ({
      resourceType: 'Patient',
      id,
      name: [{ family: families[at % families.length] }],
      ...(at % 5 === 0 ? {} : { birthDate: `19${60 + (at % 30)}-01-01` }),
    })

    const versionsOf = ({ body }: Heard): string[] =>
      (body.entry ?? []).map(
        ({ resource }: { resource: { id: string; meta: { versionId: string } } }) => `${resource.id}/${resource.meta.versionId}`,
      )
    const linkOf = ({ body }: Heard, relation: string): string | undefined =>
      body.link.find((one: { relation: string }) => one.relation === relation)?.url.slice(testBase.length + 1)

    const instances = 23
    const sorts = ['', '&_sort=_id', '&_sort=-_lastUpdated', '&_sort=family,-_id', '&_sort=-birthdate', '&_sort=birthdate']

    describe('pages', () => {
      for (const sort of sorts)
        test(`of one state, while others write (${sort || 'newest first'})`, async () => {
          const store = await testParts({ engine })
          parts = store
          for (let at = 0; at < instances; at++) await say(store, 'PUT', `Patient/p${at}`, { body: patient(`p${at}`, at) })
          const whole = versionsOf(await say(store, 'GET', `Patient?_count=1000${sort}`))
          expect(whole).toHaveLength(instances)

          let writes = 0
          /** Changes what was shown, what will be shown, and adds and takes away. */
          const disturb = async () => {
            for (let n = 0; n < 3; n++) {
              const at = (writes * 7) % instances
              if (writes % 4 === 3) await say(store, 'DELETE', `Patient/p${at}`)
              else await say(store, 'PUT', `Patient/p${at}`, { body: patient(`p${at}`, at + writes + 1) })
              await say(store, 'PUT', `Patient/n${writes}`, { body: patient(`n${writes}`, writes) })
              writes++
            }
          }

          const walk = async (from: Heard, relation: 'next' | 'prev'): Promise<Heard[]> => {
            const pages = [from]
            for (let url = linkOf(from, relation); url !== undefined; ) {
              await disturb()
              const heard = await say(store, 'GET', url)
              expect(heard.status).toBe(200)
              pages.push(heard)
              expect(pages.length).toBeLessThan(20)
              url = linkOf(heard, relation)
            }
            return pages
          }

          const first = await say(store, 'GET', `Patient?_count=5&_total=accurate${sort}`)
          const forward = await walk(first, 'next')
          expect(forward.flatMap(versionsOf)).toEqual(whole)
          expect(forward.map(({ body }) => body.total)).toEqual(forward.map(() => instances))

          const backward = await walk(forward.at(-1) as Heard, 'prev')
          expect(backward.toReversed().flatMap(versionsOf)).toEqual(whole)

          const last = await say(store, 'GET', linkOf(first, 'last') as string)
          expect(linkOf(last, 'next')).toBeUndefined()
          expect((await walk(last, 'prev')).toReversed().flatMap(versionsOf)).toEqual(whole)

          const again = await say(store, 'GET', linkOf(last, 'first') as string)
          expect(versionsOf(again)).toEqual(whole.slice(0, 5))
          expect(linkOf(again, 'prev')).toBeUndefined()
        })

      test('say where they are: self is the link itself', async () => {
        parts = await testParts({ engine })
        for (let at = 0; at < 3; at++) await say(parts, 'PUT', `Patient/p${at}`, { body: patient(`p${at}`, at) })
        const next = linkOf(await say(parts, 'GET', 'Patient?_count=2'), 'next') as string
        const second = await say(parts, 'GET', next)
        expect(linkOf(second, 'self')).toBe(next)
        expect(second.body.total).toBe((await say(parts, 'GET', 'Patient?_count=2')).body.total)
        expect(await say(parts, 'GET', next.replace('Patient?', 'Observation?'))).toMatchObject({ status: 400, kind: 'bad-cursor' })
        expect(await say(parts, 'GET', `${next}&_count=3`)).toMatchObject({ status: 400, kind: 'parameter-clash' })
        expect((await say(parts, 'GET', `${next}&_pretty=true`)).status).toBe(200)
        expect(await say(parts, 'GET', `${next.slice(0, -3)}abc`)).toMatchObject({ status: 400, kind: 'bad-cursor' })
      })
    })
  })
