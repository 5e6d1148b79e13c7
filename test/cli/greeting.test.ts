/** What people are told when the server listens. */
import { describe, expect, test } from '@jest/globals'
import { greeting } from '../../src/cli/application.ts'
import { readConfig } from '../../src/config/config.ts'

const said = (environment: Readonly<Record<string, string>>): string => {
  const read = readConfig(environment)
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  return greeting(read.config, 'https://fhir.rs.example').join('\n')
}

const open = { SIMPUL_AUTH: 'smart', SIMPUL_BASE_URL: 'https://fhir.rs.example' }
const smtp = 'smtps://sistem:hunter2@mail.rs.example'

describe('that no mail leaves', () => {
  const rows: readonly (readonly [what: string, environment: Readonly<Record<string, string>>, told: boolean])[] = [
    ['beyond this machine, with neither way', open, true],
    ['with a mail server', { ...open, SIMPUL_SMTP_URL: smtp }, false],
    ['with a folder', { ...open, SIMPUL_MAIL_FOLDER: '/var/spool/simpul' }, false],
    ['on this machine', { SIMPUL_AUTH: 'smart' }, false],
    ['without sign-in', { SIMPUL_AUTH: 'off' }, false],
  ]
  for (const [what, environment, told] of rows)
    test(`is ${told ? '' : 'not '}said ${what}`, () => expect(said(environment).includes('No mail leaves this server')).toBe(told))

  test('is said without the address of a mail server', () =>
    expect(said({ ...open, SIMPUL_SMTP_URL: smtp })).not.toMatch(/hunter2|mail\.rs/))
})
