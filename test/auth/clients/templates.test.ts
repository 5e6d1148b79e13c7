import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { readRegistration } from '../../../src/auth/clients/registration.ts'
import { testDefinitions } from '../../support/definitions.ts'
import { testRoles } from '../../support/roles.ts'

/** Registrations that operators copy. @see docs/operate/applications.md, auth.md 10.3 */

const page = readFileSync(join(import.meta.dirname, '../../../docs/operate/applications.md'), 'utf8')
const templates = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text = '']) => JSON.parse(text) as { name: string })

describe('docs/operate/applications.md', () => {
  for (const template of templates)
    test(`the registration of ${template.name} is one`, () => {
      const read = readRegistration(template, { definitions: testDefinitions(), roles: testRoles(), production: true })
      expect(read.ok ? [] : [read.failure.values, ...(read.failure.more ?? [])]).toEqual([])
    })

  test('names every member of a registration but those of rare use', () => {
    const rare = ['verifiedPublisher', 'granularParams', 'jkuAllowed', 'appStateSystems', 'appStateGlobal', 'purpose']
    const read = readRegistration(templates[0], { definitions: testDefinitions(), roles: testRoles(), production: true })
    if (!read.ok) throw new Error('the first template is refused')
    for (const member of Object.keys(read.value)) if (!rare.includes(member)) expect(page).toContain(`\`${member}\``)
  })
})
