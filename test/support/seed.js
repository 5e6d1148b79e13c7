import fc from 'fast-check'

/**
 * Property tests draw the same examples on every run, so that a change is judged by itself; SIMPUL_TEST_SEED=n draws others, and the
 * long run (SIMPUL_TEST_LONG=1) new ones each time.
 */
const { SIMPUL_TEST_LONG, SIMPUL_TEST_SEED } = process.env
if (SIMPUL_TEST_SEED !== undefined || SIMPUL_TEST_LONG !== '1') fc.configureGlobal({ seed: Number(SIMPUL_TEST_SEED ?? 20_261_121) })
