import { join } from 'node:path'

/**
 * Files of 20 s and more, the longest first. Only the order counts: a file that grew moves up when somebody looks at the times of a run
 * (`npm test -- --json`), and one that is not here comes later.
 */
const long = [
  'storage/sqlite',
  'leaks/paths-walk',
  'storage/sqlite-shared',
  'leaks/search-walk',
  'interactions/synthea',
  'workers',
  'storage/mongodb',
  'cli/administration',
  'clients/fhirclient',
  'auth/pages/browser',
  'storage/mongodb-check',
  'compose/networks',
  'auth/admin/users',
  'cli/program',
  'auth/login',
  'storage/parity',
  'interactions/r4-examples',
  'storage/elections',
  'auth/server/refresh',
  'storage/mongodb-search',
  'cli/copy',
  'auth/server/standalone',
  'cli/migrate',
  'auth/pages/account-pages',
  'storage/mongodb-refusals',
  'interactions/access/paths',
  'auth/server/sessions',
  'cli/first-start',
  'auth/federation/answers',
  'storage/mongodb-writer',
  'auth/sessions',
  'clients/openid-client',
  'compose/sign-in',
].map(name => join(import.meta.dirname, '..', `${name}.test.ts`))

/**
 * The order of test files: one that takes a minute and comes last keeps a core waiting for it. Jest by itself goes by what the last run took,
 * which a fresh clone does not know, and then by the size of the file, which says nothing of one that runs a whole contract.
 */
export default class LongestFirst {
  sort(tests) {
    const rank = ({ path }) => (long.includes(path) ? long.indexOf(path) : long.length)
    const size = ({ path, context }) => context.hasteFS.getSize(path) ?? 0
    return tests.toSorted((a, b) => rank(a) - rank(b) || size(b) - size(a))
  }

  /** `--onlyFailures` runs everything: no run is remembered. */
  allFailedTests(tests) {
    return tests
  }

  cacheResults() {}
}
