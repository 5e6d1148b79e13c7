/**
 * T18, T19, A.9 43 to 45, A.12 53 and 54: the foreign-token walk through every search. Whatever is asked, the closed server answers as one would in which nothing is but
 * what the caller may see: the same rows, the same totals, full pages; and no byte of an answer names anything else.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { testEngines, sqliteEngine } from '../support/engines.ts'
import type { TestParts } from '../support/parts.ts'
import { testRoles } from '../support/roles.ts'
import { say } from '../interactions/speak.ts'
import { type Caller, plantCallers } from './callers.ts'
import { type Hospitals, makeHospitals } from './hospitals.ts'
import { plantHospitals, seenBy, type Seen, subjectsOf, worldOf } from './oracle.ts'
import { type Question, questionsOf, systemQuestions, vocabularyOf } from './questions.ts'
import { isLong, oneOf, seeded, seedOfRun, shuffled } from './random.ts'
import { type ClosedServer, type Received, startClosed } from './server.ts'
import { leak, newTally, type Walker, walkerOf } from './walk.ts'

const seed = seedOfRun()
const callersAsked = isLong ? 1000 : 7
/** ms for all callers of an engine; a long run asks everything. */
const budgetMs = isLong ? Number.POSITIVE_INFINITY : Number(process.env.SIMPUL_TEST_LEAKS_MS ?? 20_000)

type Entry = { readonly resource?: { readonly resourceType: string; readonly id: string }; readonly search?: { readonly mode: string } }
type Searchset = {
  readonly resourceType: string
  readonly total?: number
  readonly entry?: readonly Entry[]
  readonly link?: readonly { relation: string; url: string }[]
}

const namesOf = ({ entry = [] }: Searchset, mode: string): readonly string[] =>
  entry
    .flatMap(({ resource, search }) => (search?.mode === mode && resource !== undefined ? [`${resource.resourceType}/${resource.id}`] : []))
    .toSorted()

for (const engine of testEngines)
  describe(engine.name, () => {
    const random = seeded(seed)
    const tally = newTally()
    let server: ClosedServer
    let hospitals: Hospitals
    let callers: readonly (Caller & { readonly seen: Seen })[]
    beforeAll(async () => {
      server = await startClosed(engine)
      hospitals = makeHospitals(oneOf(['qxz', 'kvj', 'zwq', 'jqx'], random), engine.name === 'sqlite' || isLong)
      await plantHospitals(server.open, hospitals)
      const subjects = await subjectsOf(hospitals, server.open)
      const planted = await plantCallers(
        server.store,
        hospitals,
        `${server.base}/fhir`,
        // Those who see much and not all are always among them.
        names => [...names.slice(0, 3), ...shuffled(names.slice(3), random)].slice(0, callersAsked),
        isLong ? 40 : 4,
      )
      callers = planted.map(caller => ({ ...caller, seen: seenBy(caller.principal, hospitals, subjects) }))
    }, 120_000)
    afterAll(async () => {
      await server?.[Symbol.asyncDispose]()
      const rows = [...tally.asked].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([way, count]) => `  ${String(count).padStart(7)} ${way}`)
      process.stderr.write(
        `\nsearches walked on ${engine.name}, seed ${seed}, ${callers?.length} callers, ${hospitals?.types.length} types:\n${rows.join('\n')}\n`,
      )
    })

    test('no state that names patients is open to who reaches none of them', () => {
      for (const { name, principal, seen } of callers) {
        const reached = new Set(
          [...seen.found.values()].flatMap(({ instance }) => (instance.type === 'Patient' ? [`Patient/${instance.id}`] : [])),
        )
        const everywhere = principal.roles.some(({ role }) => role === 'auditor')
        const closed = [...seen.found.values(), ...seen.read.values()].filter(({ resource }) => {
          const named = JSON.stringify(resource).match(new RegExp(`Patient/${hospitals.prefix}\\d{4}`, 'g')) ?? []
          return !isDefinition(resource.resourceType) && named.length > 0 && !named.some(one => reached.has(one))
        })
        const types =
          principal.launch.patient === undefined && (reached.size === 0 || everywhere)
            ? []
            : [...new Set(closed.map(({ instance }) => instance.type))]
        expect([name, types]).toEqual([name, []])
      }
    })

    test(
      'every search answers as if what is hidden were not',
      async () => {
        const vocabulary = vocabularyOf(hospitals, `${server.base}/fhir`)
        for (const caller of callers) {
          const world = await worldOf(caller.seen, sqliteEngine, `${server.base}/fhir`)
          try {
            const walker = walkerOf(server, hospitals, caller, caller.seen, tally)
            const all = [...hospitals.types.flatMap(type => questionsOf(type, vocabulary, random)), ...systemQuestions(vocabulary, random)]
            const until = performance.now() + budgetMs / callers.length
            for (const question of shuffled(all, random)) {
              if (performance.now() > until) break
              await compare(question, walker, world)
            }
          } finally {
            await world[Symbol.asyncDispose]()
          }
        }
        expect(tally.leaks).toEqual([])
        // A walk that finds nothing proves nothing.
        expect(tally.asked.get('answered with something')).toBeGreaterThan(0)
      },
      isLong ? 14_400_000 : 120_000 + budgetMs * 3,
    )

    const compare = async ({ way, url }: Question, walker: Walker, world: TestParts): Promise<void> => {
      const isPost = random() < 0.2
      const isPaged = random() < 0.2
      const full = `${url}&_total=accurate&_count=${isPaged ? 3 : 500}`.replace('?&', '?')
      const mark = full.indexOf('?')
      const [path, form] = [full.slice(0, mark), full.slice(mark + 1)]
      const received = isPost
        ? await walker.ask(way, {
            method: 'POST',
            path: `/${path}${path === '' ? '' : '/'}_search`,
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            body: form,
          })
        : await walker.ask(way, { path: `${path === '' ? '' : '/'}${full}` })
      // Denied by what a type, a chain or a field is, whatever is there.
      if (received.status === 403) return void walkedWith('refused', walker)
      const expected = await say(world, 'GET', full.replace(/_count=\d+/, '_count=500'))
      const told = (what: string) => leak(tally, `${walker.caller.name}: ${way}: ${full}: ${what}`)
      // Who has no right to owners of a type is told nothing about one.
      if (way === 'compartments' && expected.status === 404 && received.status === 200) return expectFound(received, walker, told)
      if (received.status !== expected.status)
        return told(`answers ${received.status}, alone in the world ${expected.status} ${expected.kind}`)
      if (received.status !== 200) return
      const own = JSON.parse(received.text) as Searchset
      const alone = expected.body as Searchset
      const pages = isPaged ? await pagesOf(own, walker, told) : [own]
      if (pages.some(page => (page.entry ?? []).length > 0)) walkedWith('answered with something', walker)
      const matches = pages.flatMap(page => namesOf(page, 'match')).toSorted()
      const wanted = namesOf(alone, 'match')
      const type = path.split('/').at(-1) ?? ''
      // Rows of which not all is seen are asked by what is seen of them alone; what is not asked there is not found either.
      const isPart = walker.seen.partly.size > 0 && differsByParts(matches, wanted, walker.seen, full)
      if (!isPart && matches.join() !== wanted.join())
        told(`finds ${matches.length}, alone in the world ${wanted.length}; ${difference(matches, wanted)}`)
      if (own.total !== undefined && own.total !== matches.length && !full.includes('_summary=count'))
        told(`says ${own.total}, shows ${matches.length}`)
      if (!isPart && own.total !== undefined && own.total !== alone.total) told(`says ${own.total}, alone in the world ${alone.total}`)
      const included = [...new Set(pages.flatMap(page => namesOf(page, 'include')))].filter(name => !matches.includes(name)).toSorted()
      const includedAlone = namesOf(alone, 'include')
      if (!isPart && included.join() !== includedAlone.join())
        told(`includes ${included.length}, alone in the world ${includedAlone.length}; ${difference(included, includedAlone)} ${type}`)
    }

    const expectFound = ({ text }: Received, { seen }: Walker, told: (what: string) => void): void => {
      const more = namesOf(JSON.parse(text) as Searchset, 'match').filter(name => !seen.found.has(name))
      if (more.length > 0) told(`finds ${more.length} too many`)
    }

    const walkedWith = (way: string, _walker: Walker): void => void tally.asked.set(way, (tally.asked.get(way) ?? 0) + 1)

    /** To the end; each page but the last is full. */
    const pagesOf = async (first: Searchset, walker: Walker, told: (what: string) => void): Promise<readonly Searchset[]> => {
      const pages = [first]
      for (let page = first; pages.length < 400; ) {
        const next = page.link?.find(({ relation }) => relation === 'next')?.url
        if (next === undefined) return pages
        if (namesOf(page, 'match').length !== 3) told(`page ${pages.length} has ${namesOf(page, 'match').length} of 3`)
        const received = await walker.ask('pages', { path: next.slice(next.indexOf('/fhir') + 5) })
        if (received.status !== 200) {
          told(`page ${pages.length + 1} answers ${received.status}`)
          return pages
        }
        page = JSON.parse(received.text) as Searchset
        pages.push(page)
      }
      return pages
    }
  })

/** What they mention are examples. */
const isDefinition = (type: string): boolean => testRoles().groupOf.get(type) === 'G18'

const difference = (a: readonly string[], b: readonly string[]): string =>
  `more: ${a
    .filter(one => !b.includes(one))
    .slice(0, 4)
    .join(' ')}, fewer: ${b
    .filter(one => !a.includes(one))
    .slice(0, 4)
    .join(' ')}`

/**
 * Fewer rows may be found where some are seen in part, never more; but a masked identifier is found by who knows it, among what he may find.
 */
const differsByParts = (found: readonly string[], alone: readonly string[], { partly, found: all }: Seen, url: string): boolean =>
  [...partly].some(type => url.includes(type) || url.includes('*')) &&
  found.every(one => alone.includes(one) || (/[?&._a-zA-Z]identifier(?:%3A[a-z-]+)?=/.test(url) && all.has(one)))
