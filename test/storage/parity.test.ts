/**
 * Both engines give the same answers: random searches and histories of real resources, same ids in the same order, same totals, page by page in both
 * directions, same failures.
 * @see storage-and-search.md 20.3
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { seeing } from '../../src/auth/access.ts'
import { type AccessFilter, seesAll } from '../../src/base/access-filter.ts'
import { type Heard, say } from '../interactions/speak.ts'
import { type TestEngine, testEngines } from '../support/engines.ts'
import { type TestParts, testBase, testParts } from '../support/parts.ts'
import { Dice } from '../support/random-search.ts'
import { knownOf, loadAll, realVersions } from '../support/real-versions.ts'
import { StoreSearches } from '../support/store-searches.ts'
import { testData } from '../support/test-data.ts'

const long = process.env.SIMPUL_TEST_LONG === '1'
const searches = long ? 5000 : 400
const histories = long ? 500 : 40
const timeoutMs = long ? 3_600_000 : 180_000
const bundles = long ? 100 : 5
const seed = Number(process.env.SIMPUL_TEST_SEED ?? (long ? Date.now() % 2 ** 31 : 20_261_121))
const pagesMax = 6

const synthea = testData('synthea')
const examples = testData('r4-examples')
const whenThere = synthea === undefined || testEngines.length < 2 ? describe.skip : describe

// biome-ignore lint/suspicious/noExplicitAny: Bundles of all kinds
type Page = any
const linkOf = (page: Page, relation: string): string | undefined =>
  page.link
    ?.find((link: { relation: string }) => link.relation === relation)
    ?.url.slice(testBase.length)
    .replace(/^\//, '')

/** What must be alike: who, as what, in which order, how many, and where one can go from here. */
const shown = (heard: Heard, counted: boolean): unknown => {
  if (heard.status !== 200) return { status: heard.status, kind: heard.kind }
  const { body } = heard
  return {
    entries: (body.entry ?? []).map(({ resource, search, request }: Page) =>
      resource === undefined
        ? `${request.method} ${request.url}`
        : `${search?.mode ?? request.method} ${resource.resourceType}/${resource.id}/${resource.meta?.versionId}`,
    ),
    links: body.link.map(({ relation }: { relation: string }) => relation).filter((relation: string) => counted || relation !== 'last'),
    ...(counted ? { total: body.total } : {}),
  }
}

/** The first pages, the way back from there, and the last pages where there is a way to them. */
const walked = async (parts: TestParts, url: string): Promise<readonly unknown[]> => {
  const counted = /_total=accurate|_summary=count/.test(url)
  const pages: unknown[] = []
  const go = async (from: string, relation: string): Promise<Heard> => {
    let heard = await say(parts, 'GET', from)
    pages.push(shown(heard, counted))
    for (let page = 1; page < pagesMax; page++) {
      const next = heard.status === 200 ? linkOf(heard.body, relation) : undefined
      if (next === undefined) break
      heard = await say(parts, 'GET', next)
      pages.push(shown(heard, counted))
    }
    return heard
  }
  const end = await go(url, 'next')
  if (end.status !== 200) return pages
  const back = linkOf(end.body, 'prev')
  if (back !== undefined) await go(back, 'prev')
  const last = counted ? linkOf(end.body, 'last') : undefined
  if (last !== undefined) await go(last, 'prev')
  return pages
}

whenThere('the same on every engine', () => {
  const stores: TestParts[] = []
  let made: StoreSearches
  let filter: AccessFilter = seesAll

  beforeAll(async () => {
    const decide = () => seeing(() => filter)
    const open = (engine: TestEngine) => testParts({ engine, decide, clock: () => Date.UTC(2026, 10, 21, 8) })
    for (const engine of testEngines) stores.push(await open(engine))
    const first = stores[0] as TestParts
    const versions = realVersions(synthea as string, examples, bundles, first)
    made = new StoreSearches(first.definitions, versions.flatMap(knownOf))
    for (const { store } of stores) await loadAll(store, versions)
  }, 300_000)
  afterAll(async () => {
    for (const parts of stores) await parts[Symbol.asyncDispose]()
  })

  /** The pages that all engines show. */
  const alike = async (url: string, n: number): Promise<readonly unknown[]> => {
    const [expected = [], ...others] = await Promise.all(stores.map(parts => walked(parts, url)))
    for (const pages of others) expect({ n, url, filter, pages }).toEqual({ n, url, filter, pages: expected })
    return expected
  }

  test('what is there', async () => {
    const [first, ...others] = await Promise.all(stores.map(({ store }) => store.counts()))
    for (const other of others) expect(other).toEqual(first)
  })

  test(
    `${searches} random searches (seed ${seed})`,
    async () => {
      const dice = new Dice(seed)
      let found = 0
      for (let n = 0; n < searches; n++) {
        filter = dice.chance(0.2) ? made.filter(dice) : seesAll
        const expected = await alike(made.next(dice), n)
        if (JSON.stringify(expected[0]).includes('match ')) found++
      }
      // A generator that asks for nothing would agree with everything.
      expect(found).toBeGreaterThan(searches / 2)
    },
    timeoutMs,
  )

  test(
    `${histories} random histories (seed ${seed})`,
    async () => {
      const dice = new Dice(seed + 1)
      for (let n = 0; n < histories; n++) {
        filter = dice.chance(0.3) ? made.filter(dice) : seesAll
        await alike(made.nextHistory(dice), n)
      }
    },
    timeoutMs,
  )
})
