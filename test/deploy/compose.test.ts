/** operate.md 11: what `docker compose up` starts is closed by default, bounded and named, and says only what the server knows. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { mayStart, readConfig } from '../../src/config/config.ts'
import { variables } from '../../src/config/variables.ts'

const root = resolve(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** What we hold services to; Compose knows more. */
type Service = {
  readonly image: string
  readonly user?: string
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly cap_add?: readonly string[]
  readonly privileged?: boolean
  readonly security_opt?: readonly string[]
  readonly mem_limit?: string
  readonly cpus?: number
  readonly pids_limit?: number
  readonly restart?: string
  readonly logging?: { readonly options: Readonly<Record<string, string>> }
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly ports?: readonly string[]
  readonly networks?: readonly string[]
  readonly volumes?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
}
type Compose = {
  readonly services: Readonly<Record<string, Service>>
  readonly networks: Readonly<Record<string, { readonly internal?: boolean; readonly ipam?: { config: readonly { subnet: string }[] } }>>
  readonly volumes: Readonly<Record<string, unknown>>
}

const text = read('docker-compose.yml')
const compose = parse(text, { merge: true }) as Compose
const services = Object.entries(compose.services)
const simpul = compose.services.simpul as Service

/** As Compose fills it in when nobody sets anything. */
const filled = (value: string): string => value.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1')
const environment = Object.fromEntries(Object.entries(simpul.environment ?? {}).map(([name, value]) => [name, filled(value)]))

describe.each(services)('the service %s', (_, service) => {
  test('may do no more than it needs, and take no more than its share', () => {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      mem_limit: expect.any(String),
      cpus: expect.any(Number),
      pids_limit: expect.any(Number),
      restart: 'unless-stopped',
      logging: { options: { 'max-size': expect.any(String), 'max-file': expect.any(String) } },
    })
    expect([service.cap_add, service.privileged]).toEqual([undefined, undefined])
    expect(service.user).toMatch(/^[1-9]\d*:[1-9]\d*$/)
  })

  test('says by a command of its own whether it is well', () => {
    expect(service.healthcheck?.test[0]).toBe('CMD')
  })

  test('is one that was named: no image of the day', () => {
    expect(service.image).toMatch(/^simpul:local$|^[a-z]+:\d+\.\d+\.\d+(-\w+)?$/)
  })

  test('mounts named volumes that are declared, and nothing of the machine', () => {
    const sources = (service.volumes ?? []).map(volume => volume.split(':')[0] as string)
    expect(sources.filter(name => !Object.hasOwn(compose.volumes, name))).toEqual([])
  })

  test('waits for services that exist, each for a reason', () => {
    for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(Object.keys(compose.services)).toContain(name)
      expect(['service_healthy', 'service_started']).toContain(condition)
    }
  })

  test('publishes its port on this machine alone, or none', () => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/)
  })
})

describe('the networks', () => {
  test('are one to the outside, for the server alone, and one inside for each dependency', () => {
    const members = (network: string) => services.filter(([, { networks }]) => networks?.includes(network)).map(([name]) => name)
    expect(Object.entries(compose.networks).map(([name, { internal = false }]) => [name, internal, members(name)])).toEqual([
      ['edge', false, ['simpul']],
      ['data', true, ['simpul', 'mongodb']],
      ['cache', true, ['simpul', 'redis']],
    ])
  })
})

describe('what the server is told', () => {
  test('is what it knows, and it starts', () => {
    const config = readConfig(environment)
    if (!config.ok) throw new Error(config.problems.map(({ name, rule }) => `${name} must be ${rule}`).join('; '))
    expect(mayStart(config.config)).toBeUndefined()
    expect(config.config.auth).toBe('smart')
  })

  test('holds no secret', () => {
    const secrets = Object.values(variables).filter(variable => 'secret' in variable)
    for (const { name } of secrets) expect(filled(simpul.environment?.[name] ?? '')).not.toMatch(/:[^/@]+@/)
    expect(text).not.toMatch(/(password|passwd|secret|token)\s*[:=]/i)
  })

  test('and what may be set from outside is a variable of the server, or explained', () => {
    const names = new Set<string>(Object.values(variables).map(({ name }) => name))
    const page = read('docs/operate/compose.md')
    const used = [...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name as string)
    expect(used.filter(name => !names.has(name) && !page.includes(`\`${name}\``))).toEqual([])
    expect(used.filter(name => name.startsWith('SIMPUL_') && !names.has(name))).toEqual([])
  })

  test('keeps its heap within its memory', () => {
    const heap = Number(/--max-old-space-size=(\d+)/.exec(environment.NODE_OPTIONS ?? '')?.[1])
    expect(heap).toBeLessThanOrEqual(1024 * 0.7)
    expect(simpul.mem_limit).toBe('1g')
  })
})

describe('the file', () => {
  test('has none of the keys that docker-compose 1.29 refuses', () => {
    expect(Object.keys(compose).filter(key => !key.startsWith('x-'))).toEqual(['services', 'networks', 'volumes'])
    expect(text).not.toMatch(/^\s*(develop|start_interval|include|env_file):/m)
  })

  // Where the program is: it needs no engine for this.
  if (spawnSync('docker-compose', ['version']).status === 0)
    test('is accepted by docker-compose', () => {
      const { status, stderr } = spawnSync('docker-compose', ['config', '-q'], { cwd: root, encoding: 'utf8' })
      expect([status, stderr]).toEqual([0, ''])
    })

  test('builds from what exists', () => {
    expect(existsSync(join(root, 'deploy/Dockerfile'))).toBe(true)
  })
})
