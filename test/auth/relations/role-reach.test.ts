/** Where roles reach, whom somebody represents, and how else consents name them: auth.md 4.1. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { RoleAssignment } from '../../../src/auth/accounts/account.ts'
import { createRoleReach, type RoleReach } from '../../../src/auth/relations/role-reach.ts'
import type { RoleReachParts } from '../../../src/auth/relations/role-reach-parts.ts'
import type { Resource } from '../../../src/fhir/model/resource.ts'

const now = Date.parse('2026-11-21T08:00:00Z')

const reference = (to: string): { readonly reference: string } => ({ reference: to })

type Directory = { readonly reach: RoleReach; readonly asked: string[]; readonly clock: { now: number }; readonly resources: Resource[] }

const elementOf: Readonly<Record<string, (resource: Resource) => readonly unknown[]>> = {
  partof: ({ partOf }) => [partOf],
  organization: ({ managingOrganization, providedBy }) => [managingOrganization, providedBy],
  practitioner: ({ practitioner }) => [practitioner],
  link: ({ link }) => (link as { target: unknown }[]).map(({ target }) => target),
}

const directory = (given: readonly Resource[]): Directory => {
  const resources = [...given]
  const asked: string[] = []
  const clock = { now }
  const parts: RoleReachParts = {
    referring: async (type, param, targets, limit) => {
      asked.push(`${type}?${param}`)
      const found = resources.filter(
        one =>
          one.resourceType === type &&
          elementOf[param]?.(one).some(to => targets.includes((to as { reference?: string } | undefined)?.reference ?? '')),
      )
      return { found: found.slice(0, limit), more: found.length > limit }
    },
    all: async (type, limit) => resources.filter(one => one.resourceType === type).slice(0, limit),
    newest: async (type, id) => {
      asked.push(`${type}/${id}`)
      return resources.find(one => one.resourceType === type && one.id === id)
    },
    clock: () => clock.now,
  }
  return { reach: createRoleReach(parts), asked, clock, resources }
}

const organization = (id: string, partOf?: string, more: object = {}): Resource => ({
  resourceType: 'Organization',
  id,
  ...(partOf !== undefined && { partOf: reference(`Organization/${partOf}`) }),
  ...more,
})
const held = (role: string, more: Partial<RoleAssignment> = {}): RoleAssignment => ({
  role,
  organization: 'Organization/rs',
  givenBy: 'cli',
  ...more,
})

describe('organizations', () => {
  const hospital = [organization('rs'), organization('poli', 'rs'), organization('gigi', 'poli'), organization('lain')]
  test('are widened to all that is part of them', async () => {
    const { reach } = directory(hospital)
    expect(await reach.assignments([held('doctor')])).toEqual([
      { role: 'doctor', organizations: ['rs', 'poli', 'gigi'], units: ['rs', 'poli', 'gigi'] },
    ])
    expect((await reach.assignments([held('doctor', { organization: 'Organization/poli' })]))[0]?.organizations).toEqual(['poli', 'gigi'])
  })
  test('each once, where they are part of each other in a circle', async () => {
    const { reach } = directory([organization('rs', 'gigi'), organization('poli', 'rs'), organization('gigi', 'poli')])
    expect((await reach.assignments([held('doctor')]))[0]?.organizations).toEqual(['rs', 'poli', 'gigi'])
  })
  test('not those that are closed, nor what is part of them', async () => {
    const { reach } = directory([organization('rs'), organization('poli', 'rs', { active: false }), organization('gigi', 'poli')])
    expect((await reach.assignments([held('doctor')]))[0]?.organizations).toEqual(['rs'])
  })
  test('as far as ten levels and 500 of them', async () => {
    const chain = Array.from({ length: 30 }, (_, n) =>
      organization(n === 0 ? 'rs' : `o${n}`, n === 0 ? undefined : n === 1 ? 'rs' : `o${n - 1}`),
    )
    expect((await directory(chain).reach.assignments([held('doctor')]))[0]?.organizations?.length).toBe(11)
    const wide = [organization('rs'), ...Array.from({ length: 900 }, (_, n) => organization(`o${n}`, 'rs'))]
    expect((await directory(wide).reach.assignments([held('doctor')]))[0]?.organizations?.length).toBe(500)
  })
  test('whatever the tree, the walk ends and gives each once', async () => {
    const ids = ['rs', 'a', 'b', 'c', 'd']
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...ids), { minLength: 5, maxLength: 5 }), async parents => {
        const { reach } = directory(ids.map((id, n) => organization(id, parents[n])))
        const [{ organizations = [] } = {}] = await reach.assignments([held('doctor')])
        expect(new Set(organizations).size).toBe(organizations.length)
        expect(organizations).toContain('rs')
        expect((await reach.alsoKnownAs('Practitioner/me', [held('doctor')])).length).toBeLessThan(10)
      }),
      { numRuns: 200 },
    )
  })
  test('all that give care, for a role that is held nowhere in particular', async () => {
    const type = (code: string): object => ({
      type: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/organization-type', code }] }],
    })
    const { reach } = directory([
      organization('rs', undefined, type('prov')),
      organization('bpjs', undefined, type('pay')),
      organization('poli', 'rs'),
    ])
    expect((await reach.assignments([{ role: 'doctor', givenBy: 'cli' }]))[0]?.organizations).toEqual(['rs', 'poli'])
  })
  test('none for a text that names none', async () => {
    expect(await directory(hospital).reach.assignments([held('doctor', { organization: 'rs' })])).toEqual([
      { role: 'doctor', organizations: [], units: [] },
    ])
  })
})

describe('units', () => {
  const hospital = [
    organization('rs'),
    organization('lab', 'rs'),
    { resourceType: 'Location', id: 'meja', managingOrganization: reference('Organization/lab') },
    { resourceType: 'HealthcareService', id: 'darah', providedBy: reference('Organization/lab') },
  ]
  test('of a laboratory are its places, its services and its kind of work', async () => {
    const { reach } = directory(hospital)
    expect((await reach.assignments([held('lab', { organization: 'Organization/lab' })]))[0]?.units).toEqual([
      'lab',
      'Location/meja',
      'HealthcareService/darah',
      'laboratory@lab',
    ])
  })
  test('at the top, also work that says nowhere', async () => {
    const { reach } = directory(hospital)
    expect((await reach.assignments([held('lab')]))[0]?.units).toContain('laboratory@')
    expect((await reach.assignments([held('radiology')]))[0]?.units).toContain('imaging@')
    expect((await reach.assignments([held('doctor')]))[0]?.units).toEqual(['rs', 'lab'])
  })
})

test('roles are held in their time', async () => {
  const { reach, clock } = directory([organization('rs')])
  const rows: readonly (readonly [Partial<RoleAssignment>, number])[] = [
    [{}, 1],
    [{ from: now }, 1],
    [{ from: now + 1 }, 0],
    [{ until: now }, 0],
    [{ until: now + 1 }, 1],
  ]
  for (const [period, count] of rows) expect((await reach.assignments([held('doctor', period)])).length).toBe(count)
  clock.now += 1
  expect(await reach.assignments([held('doctor', { until: now + 1 })])).toEqual([])
})

test('answers are remembered for 30 seconds, or until told to forget', async () => {
  const { reach, asked, clock } = directory([organization('rs')])
  const times = async (): Promise<number> => {
    asked.splice(0)
    await reach.assignments([held('doctor')])
    return asked.length
  }
  expect(await times()).toBeGreaterThan(0)
  clock.now += 29_999
  expect(await times()).toBe(0)
  clock.now += 1
  expect(await times()).toBeGreaterThan(0)
  reach.forget()
  expect(await times()).toBeGreaterThan(0)
})

describe('whom somebody represents', () => {
  const verified = { extension: [{ url: 'https://simpul.example/fhir/StructureDefinition/verified-on', valueDate: '2026-01-01' }] }
  const ibu = (more: object = {}): Resource => ({
    resourceType: 'RelatedPerson',
    id: 'ibu',
    active: true,
    patient: reference('Patient/anak'),
    ...verified,
    ...more,
  })
  const person = (links: readonly (readonly [string, string?])[], more: object = {}): Resource => ({
    resourceType: 'Person',
    id: 'siti',
    link: links.map(([to, assurance]) => ({ target: reference(to), ...(assurance !== undefined && { assurance }) })),
    ...more,
  })
  const rows: readonly (readonly [
    why: string,
    user: string | undefined,
    resources: readonly Resource[],
    patients: readonly string[],
    names?: readonly string[],
  ])[] = [
    ['nobody, without a resource', undefined, [ibu()], []],
    ['nobody, as a practitioner', 'Practitioner/me', [ibu()], []],
    ['a relative, the patient', 'RelatedPerson/ibu', [ibu()], ['anak'], ['RelatedPerson/ibu']],
    ['not without papers that were seen', 'RelatedPerson/ibu', [ibu({ extension: [] })], []],
    ['not before they were seen', 'RelatedPerson/ibu', [ibu({ extension: [{ ...verified.extension[0], valueDate: '2027-01-01' }] })], []],
    ['not by an extension of somebody else', 'RelatedPerson/ibu', [ibu({ extension: [{ url: 'x', valueDate: '2026-01-01' }] })], []],
    ['not when it ended', 'RelatedPerson/ibu', [ibu({ active: false })], []],
    ['not when nobody says that it is active', 'RelatedPerson/ibu', [ibu({ active: undefined })], []],
    ['not out of its period', 'RelatedPerson/ibu', [ibu({ period: { end: '2026-11-20' } })], []],
    ['not within a period that cannot be read', 'RelatedPerson/ibu', [ibu({ period: { end: 'nanti' } })], []],
    [
      'a person, by links that are assured',
      'Person/siti',
      [
        person([
          ['Patient/siti', 'level3'],
          ['RelatedPerson/ibu', 'level4'],
        ]),
        ibu({ extension: [] }),
      ],
      ['siti', 'anak'],
      ['RelatedPerson/ibu'],
    ],
    ['not by links that are not', 'Person/siti', [person([['Patient/siti', 'level2'], ['RelatedPerson/ibu']]), ibu()], []],
    ['not by a person who is not active', 'Person/siti', [person([['Patient/siti', 'level4']], { active: false })], []],
    [
      'a patient, the child of the person who is the same',
      'Patient/siti',
      [
        person([
          ['Patient/siti', 'level3'],
          ['RelatedPerson/ibu', 'level3'],
        ]),
        ibu(),
      ],
      ['anak'],
      ['RelatedPerson/ibu'],
    ],
    [
      'a patient, not by a link of low assurance to himself',
      'Patient/siti',
      [
        person([
          ['Patient/siti', 'level1'],
          ['RelatedPerson/ibu', 'level4'],
        ]),
        ibu(),
      ],
      [],
    ],
    [
      'a patient, not another record of the same human',
      'Patient/siti',
      [
        person([
          ['Patient/siti', 'level4'],
          ['Patient/lama', 'level4'],
        ]),
      ],
      [],
    ],
  ]
  for (const [why, user, resources, patients, names = []] of rows)
    test(why, async () => {
      const { reach } = directory(resources)
      expect(await reach.represents(user)).toEqual(patients)
      expect(await reach.alsoKnownAs(user)).toEqual(names)
    })
})

test('a practitioner is known by roles, and by what the organizations of his account are part of', async () => {
  const { reach } = directory([
    organization('rs', 'grup'),
    organization('grup'),
    { resourceType: 'PractitionerRole', id: 'a', practitioner: reference('Practitioner/me') },
    { resourceType: 'PractitionerRole', id: 'b', practitioner: reference('Practitioner/me'), active: false },
    { resourceType: 'PractitionerRole', id: 'c', practitioner: reference('Practitioner/lain') },
  ])
  expect(await reach.alsoKnownAs('Practitioner/me', [held('doctor')])).toEqual(['PractitionerRole/a', 'Organization/grup'])
})
