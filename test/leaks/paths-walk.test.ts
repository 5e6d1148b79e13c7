/**
 * T18, T20, T21, A.12 52 to 54: every route, with ids of what is hidden. It answers and asks the store as for an id that never was, changes nothing, and shows
 * nothing; what may be seen is seen by every route that shows it.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { routes } from '../../src/http/route-table.ts'
import { testEngines } from '../support/engines.ts'
import { type Caller, plantCallers } from './callers.ts'
import { type Hospitals, type Instance, makeHospitals } from './hospitals.ts'
import { plantHospitals, seenBy, type Seen, subjectsOf } from './oracle.ts'
import { creations, type Row, rows } from './paths.ts'
import { isLong, oneOf, type Random, seeded, seedOfRun, shuffled } from './random.ts'
import { type ClosedServer, type Received, startClosed } from './server.ts'
import { difference, leak, newTally, type Walker, walkerOf } from './walk.ts'

const seed = seedOfRun()
const callersAsked = isLong ? 1000 : 10
const budgetMs = isLong ? Number.POSITIVE_INFINITY : Number(process.env.SIMPUL_TEST_LEAKS_MS ?? 12_000)
/** However busy the machine is. */
const unhurried = isLong ? 14_400_000 : 120_000 + budgetMs * 4

type Walking = Caller & { readonly seen: Seen }

for (const engine of testEngines)
  describe(engine.name, () => {
    const random: Random = seeded(seed)
    const tally = newTally()
    let server: ClosedServer
    let hospitals: Hospitals
    let callers: readonly Walking[]
    let walkers: readonly Walker[]
    const unknown = () => `${hospitals.prefix}${9000 + Math.floor(random() * 1000)}`

    beforeAll(async () => {
      server = await startClosed(engine)
      hospitals = makeHospitals(oneOf(['qxz', 'kvj', 'zwq', 'jqx'], random), engine.name === 'sqlite' || isLong)
      await plantHospitals(server.open, hospitals)
      const subjects = await subjectsOf(hospitals, server.open)
      const planted = await plantCallers(
        server.store,
        hospitals,
        `${server.base}/fhir`,
        names => [...names.slice(0, 4), ...shuffled(names.slice(4), random)].slice(0, callersAsked),
        isLong ? 20 : 3,
      )
      callers = planted.map(caller => ({ ...caller, seen: seenBy(caller.principal, hospitals, subjects) }))
      walkers = callers.map(caller => walkerOf(server, hospitals, caller, caller.seen, tally))
    }, 120_000)
    afterAll(async () => {
      await server?.[Symbol.asyncDispose]()
      const told = [...tally.asked].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([way, count]) => `  ${String(count).padStart(7)} ${way}`)
      process.stderr.write(`\npaths walked on ${engine.name}, seed ${seed}, ${callers?.length} callers:\n${told.join('\n')}\n`)
    })

    const noted = () => tally.leaks.splice(0)

    test(
      'whoever may read something reads it, and nobody else does: read, versions, history, one by one in a batch',
      async () => {
        for (const walker of walkers) {
          const { caller, seen } = walker
          const entries = hospitals.instances.map(({ type, id }) => `${type}/${id}`)
          for (const [way, of] of [
            ['read', (name: string) => name],
            ['vread', (name: string) => `${name}/_history/1`],
            ['history', (name: string) => `${name}/_history`],
          ] as const) {
            const body = JSON.stringify({
              resourceType: 'Bundle',
              type: 'batch',
              entry: entries.map(name => ({ request: { method: 'GET', url: of(name) } })),
            })
            const received = await walker.ask(`batch of all: ${way}`, {
              method: 'POST',
              path: '',
              headers: { 'content-type': 'application/fhir+json' },
              body,
            })
            const statuses = (JSON.parse(received.text).entry as { response: { status: string } }[]).map(({ response }) =>
              response.status.slice(0, 3),
            )
            for (const [at, name] of entries.entries()) {
              const { states } = hospitals.instances[at] as Instance
              const isSeen = (way === 'read' ? seen.read : seen.versions).has(name)
              const status = statuses[at]
              // The first state of what was labelled more than it is stays closed to some.
              const isRight = states.length > 1 ? isSeen || states.at(-1) === undefined || status !== '200' : (status === '200') === isSeen
              if (!isRight) leak(tally, `${caller.name}: ${way} of ${name}: ${status}, and ${isSeen ? 'may' : 'may not'}`)
            }
          }
        }
        expect(noted()).toEqual([])
      },
      unhurried,
    )

    test(
      'histories of types and of all show what may be found, in full pages',
      async () => {
        for (const walker of walkers) {
          const { caller, seen } = walker
          for (const type of [...shuffled(hospitals.types, random).slice(0, isLong ? 200 : 6), 'Observation', '']) {
            const names = new Set<string>()
            let path = `${type === '' ? '' : `/${type}`}/_history?_count=50`
            for (let page = 0; page < 200; page += 1) {
              const received = await walker.ask(type === '' ? 'history of all' : 'history of a type', { path })
              if (received.status !== 200) {
                if (type !== '' && [...seen.found.keys()].some(name => name.startsWith(`${type}/`)))
                  leak(tally, `${caller.name}: history of ${type} ${received.status}`)
                break
              }
              const { entry = [], link, total } = JSON.parse(received.text)
              for (const { fullUrl } of entry) names.add(fullUrl.split('/').slice(-2).join('/'))
              if (total !== undefined && total < entry.length)
                leak(tally, `${caller.name}: history of ${type} says ${total}, shows ${entry.length}`)
              const next = link.find((one: { relation: string }) => one.relation === 'next')?.url
              if (next === undefined) break
              if (entry.length !== 50) leak(tally, `${caller.name}: history of ${type} has a page of ${entry.length}`)
              path = next.slice(next.indexOf('/fhir') + 5)
            }
            const wanted = [...seen.found.keys()].filter(name => type === '' || name.startsWith(`${type}/`))
            for (const name of wanted)
              if (!names.has(name) && names.size > 0) leak(tally, `${caller.name}: history of ${type} lacks ${name}`)
          }
        }
        expect(noted()).toEqual([])
      },
      unhurried,
    )

    test(
      'T20: what is hidden is what never was, by every route: the same answer, the same questions to the store',
      async () => {
        const until = performance.now() + budgetMs
        const pairs = shuffled(
          walkers.flatMap(walker => hiddenFrom(walker, hospitals, random).map(instance => ({ walker, instance }))),
          random,
        )
        for (const { walker, instance } of pairs) {
          if (performance.now() > until) break
          for (const row of rows) await askAlike(walker, instance, row)
        }
        expect(noted()).toEqual([])
      },
      unhurried,
    )

    /** Asked twice each: what is remembered of either is remembered of both then. */
    const askAlike = async (walker: Walker, { type, id, states }: Instance, row: Row): Promise<void> => {
      const content = states.at(-1) ?? states.at(-2) ?? {}
      const other = unknown()
      // Whom he knows, and may break the glass for, he is told to be there; apart from that one sentence the answers are the same.
      const said = walker.seen.offered.has(id) ? withoutOffer : (received: Received) => received
      const asked = async (name: string) => {
        const sent = row.sent(type, name, JSON.parse(JSON.stringify(content).replaceAll(id, name)))
        const first = plain(said(await walker.ask(row.way, sent)), name)
        server.calls()
        const second = plain(said(await walker.ask(row.way, sent)), name)
        return {
          first,
          second,
          calls: JSON.stringify(Object.entries(server.calls()).filter(([call]) => /^\w+$/.test(call))),
        }
      }
      let [hidden, never] = [await asked(id), await asked(other)]
      // What is remembered of consents is forgotten after a while: that may fall between two questions, and does so once.
      for (let n = 0; n < 2 && hidden.calls !== never.calls; n += 1) [hidden, never] = [await asked(id), await asked(other)]
      const told = (what: string) =>
        leak(tally, `${walker.caller.name}: ${row.way} of ${type} ${walker.seen.found.has(`${type}/${id}`)}: ${what}`)
      if (hidden.first !== never.first) told(difference(hidden.first, never.first))
      else if (hidden.second !== never.second) told(`again: ${difference(hidden.second, never.second)}`)
      else if (hidden.calls !== never.calls) told(`asks ${hidden.calls} but ${never.calls} for ${hidden.first.slice(0, 5)}`)
    }

    test(
      'conditional creations make a new one where the only match is hidden',
      async () => {
        for (const walker of walkers) {
          const hidden = shuffled(hiddenFrom(walker, hospitals, random), random)
          // What hides a Binary may stand in another resource.
          const tried = [...hidden.filter(({ type }) => type === 'Binary'), ...hidden.slice(0, isLong ? 30 : 4)]
          for (const instance of tried) {
            const { type, id, states } = instance
            const content = states.at(-1) ?? {}
            for (const row of creations) {
              const asked = async (name: string) =>
                plain(await walker.ask(row.way, row.sent(type, name, JSON.parse(JSON.stringify(content).replaceAll(id, 'new')))), name)
              const [hidden, never] = [await asked(id), await asked(unknown())]
              if (hidden !== never) leak(tally, `${walker.caller.name}: ${row.way} of ${type}: ${difference(hidden, never)}`)
            }
          }
        }
        expect(noted()).toEqual([])
      },
      unhurried,
    )

    test('nothing that is hidden from all of them was changed', async () => {
      const changed: string[] = []
      for (const { type, id, states } of hospitals.instances) {
        if (walkers.some(({ seen }) => seen.found.has(`${type}/${id}`) || seen.read.has(`${type}/${id}`))) continue
        const newest = await server.store.newest(type, id)
        if (newest?.versionId !== states.length)
          changed.push(`${type} ${newest?.versionId} ${states.length} ${JSON.stringify(states.at(-1)?.meta)}`)
      }
      expect(changed).toEqual([])
    })

    test('page links are of use to whom they were given alone', async () => {
      for (const walker of walkers) {
        const received = await walker.ask('pages', { path: '/Organization?_count=1' })
        if (received.status !== 200) continue
        const next: string | undefined = JSON.parse(received.text).link.find((one: { relation: string }) => one.relation === 'next')?.url
        if (next === undefined) continue
        for (const other of walkers) {
          if (other === walker) continue
          const taken = await other.ask('pages of others', { path: next.slice(next.indexOf('/fhir') + 5) })
          if (taken.status === 200) leak(tally, `${other.caller.name} uses a page link of ${walker.caller.name}`)
        }
      }
      expect(noted()).toEqual([])
    })

    test('without a token no route shows anything', async () => {
      const open: string[] = []
      for (const { methods, path } of routes)
        for (const method of methods) {
          const at = path
            .replace('{type}', 'Patient')
            .replace('{id}', hospitals.id('A', 'Patient'))
            .replace('{vid}', '1')
            .replace('{member}', 'Observation')
            .replace('{operation}', '$everything')
            .replace('{job}', '1')
          const received = await server.send({
            method,
            path: `/fhir${at}`,
            headers: { 'content-type': 'application/fhir+json' },
            ...(method === 'GET' || method === 'HEAD' ? {} : { body: '{}' }),
          })
          tally.asked.set('without a token', (tally.asked.get('without a token') ?? 0) + 1)
          const says = hospitals.wordsIn(`${received.text} ${JSON.stringify(received.headers)}`)
          // What is not built is not there for anybody.
          if (path !== '/metadata' && (![401, 404, 501].includes(received.status) || says.size > 0))
            open.push(`${method} ${path} ${received.status}`)
        }
      expect(open).toEqual([])
    })
  })

/** One of each type that the caller neither reads nor finds. */
const hiddenFrom = ({ seen }: Walker, { instances, types }: Hospitals, random: Random): readonly Instance[] =>
  types.flatMap(type => {
    const hidden = instances.filter(one => one.type === type && !seen.found.has(`${type}/${one.id}`) && !seen.read.has(`${type}/${one.id}`))
    return hidden.length === 0 ? [] : [oneOf(hidden, random)]
  })

/** The answer without the entries that offer to break the glass, wherever they stand in it. */
const withoutOffer = (received: Received): Received => {
  if (!received.text.includes('"suppressed"')) return received
  const isOffer = (one: { search?: { mode?: string }; resource?: { issue?: { code?: string }[] } }): boolean =>
    one.search?.mode === 'outcome' && one.resource?.issue?.length === 1 && one.resource.issue[0]?.code === 'suppressed'
  const text = JSON.stringify(JSON.parse(received.text), (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || !('entry' in value) || !Array.isArray(value.entry)) return value
    const { entry, ...bundle } = value
    const kept = entry.filter(one => !isOffer(one))
    return kept.length === 0 ? bundle : { ...bundle, entry: kept }
  })
  return { ...received, text }
}

const ofItself = new Set(['date', 'x-request-id', 'content-length', 'connection', 'keep-alive'])

/** Names, instants and links differ from answer to answer by themselves. */
const plain = ({ status, headers, text }: Received, id: string): string =>
  JSON.stringify([status, Object.entries(headers).filter(([name]) => !ofItself.has(name) && !name.includes('ratelimit')), text])
    .replaceAll(id, 'ID')
    .replaceAll(/_cursor=[\w-]+/g, '')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'UUID')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+(?:[+-]\d\d:\d\d|Z)/g, 'INSTANT')
    .replaceAll(/\w{3}, \d\d \w{3} \d{4} [\d:]+ GMT/g, 'INSTANT')
