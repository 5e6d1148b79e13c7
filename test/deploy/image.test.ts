/** The image: named bases, a user without rights, nothing in it that is only for development, and a check that needs no tool. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { freePort } from '../support/free-port.ts'
import { startHttp } from '../support/http-server.ts'

const root = resolve(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** Instructions with their continued lines joined. */
const instructions = read('deploy/Dockerfile')
  .replaceAll(/^\s*#.*\n/gm, '')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .filter(line => line.trim() !== '')
  .map(line => ({ name: line.split(' ', 1)[0] as string, text: line.replace(/^\S+\s+/, '').replaceAll(/\s+/g, ' ') }))
const of = (name: string): readonly string[] => instructions.filter(instruction => instruction.name === name).map(({ text }) => text)
const lastStage = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'))

describe('the Dockerfile', () => {
  test('has two stages on named versions of Debian', () => {
    expect(of('FROM')).toHaveLength(2)
    for (const from of of('FROM')) expect(from).toMatch(/^(node:\d+\.\d+\.\d+-bookworm-slim AS build|debian:\d+\.\d+-slim)$/)
  })

  test('installs what runs, by the lock, and lets one package run its script', () => {
    const install = of('RUN').find(text => text.includes('npm')) ?? ''
    expect(install).toContain('npm ci --omit=dev --ignore-scripts')
    expect(install).toContain('npm rebuild node --ignore-scripts=false')
  })

  test('ends as a user without rights who may write to its data alone', () => {
    const users = lastStage.filter(({ name }) => name === 'USER').map(({ text }) => text)
    expect(users).toEqual(['10001:10001'])
    expect(of('VOLUME')).toEqual(['/var/lib/simpul'])
    expect(lastStage.filter(({ name }) => name === 'COPY').map(({ text }) => text)).toEqual(['--from=build /app ./'])
  })

  test('checks itself with what it has', () => {
    expect(of('HEALTHCHECK').join()).toMatch(/CMD \["node", "deploy\/health-check\.js"\]$/)
    expect(of('RUN').join()).not.toMatch(/curl|wget/)
    expect(of('ADD')).toEqual([])
  })

  test('starts the server without a shell', () => {
    expect([of('ENTRYPOINT'), of('CMD')]).toEqual([['["node", "bin/simpul.js"]'], ['["serve"]']])
  })

  test('copies what exists and what its context lets through, and the context lets through nothing else', () => {
    const copied = of('COPY')
      .filter(text => !text.startsWith('--from'))
      .flatMap(text => text.split(' ').slice(0, -1))
    expect(copied.filter(path => !existsSync(join(root, path)))).toEqual([])
    const [first, ...passed] = read('.dockerignore')
      .split('\n')
      .filter(line => line !== '' && !line.startsWith('#'))
    expect(first).toBe('*')
    expect(passed.map(line => line.slice(1)).toSorted()).toEqual(copied.toSorted())
  })
})

describe('the health check', () => {
  const check = (port: number): Promise<number> =>
    new Promise(done => {
      const child = execFile(process.execPath, [join(root, 'deploy/health-check.js')], { env: { SIMPUL_PORT: String(port) } })
      child.on('exit', code => done(code ?? -1))
    })

  test('is well while the server takes traffic, and ill when it does not or is not there', async () => {
    await using ready = await startHttp()
    await using down = await startHttp({ storeAnswers: () => false })
    expect([await check(ready.port), await check(down.port), await check(await freePort())]).toEqual([0, 1, 1])
  })
})
