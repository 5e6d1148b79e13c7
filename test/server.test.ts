/**
 * The whole server as `simpul serve` starts it: start page, health and metrics, a log without patient data, and an end that loses nothing.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { testEngines } from './support/engines.ts'
import { freePort } from './support/free-port.ts'

/** Planted in every place a client controls; none may leave the store by another way than an answer. */
const markers = { name: 'Rahasia Sekali', nik: '3174015708900017', card: '0001234567890', phone: '+62 812 3456 7890', id: 'rahasia-1' }

const json = { 'content-type': 'application/fhir+json' }

const patient = {
  resourceType: 'Patient',
  id: markers.id,
  identifier: [{ system: 'https://fhir.kemkes.go.id/id/nik', value: markers.nik }, { value: markers.card }],
  name: [{ text: markers.name }],
  telecom: [{ system: 'phone', value: markers.phone }],
}

type Running = { readonly url: string; readonly log: () => string /** Exit code. */; stop(): Promise<number> }

/** `simpul serve`, once it listens. */
const serve = async (environment: Readonly<Record<string, string>>): Promise<Running> => {
  const port = await freePort()
  const child = spawn(process.execPath, [resolve(import.meta.dirname, '../bin/simpul.js'), 'serve'], {
    env: { PATH: process.env.PATH ?? '', SIMPUL_AUTH: 'off', SIMPUL_PORT: String(port), SIMPUL_LOG_LEVEL: 'debug', ...environment },
  })
  let log = ''
  await new Promise<void>((listening, reject) => {
    child.once('exit', () => reject(new Error(log)))
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', part => {
        log += part
        if (log.includes('listens on')) listening()
      })
    }
  })
  const stop = async (): Promise<number> => {
    if (child.exitCode !== null) return child.exitCode
    child.kill('SIGTERM')
    return ((await once(child, 'exit')) as [number])[0]
  }
  return { url: `http://127.0.0.1:${port}`, log: () => log, stop }
}

for (const engine of testEngines)
  describe(`the server (${engine.name})`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'simpul-server-'))
    let store: Awaited<ReturnType<typeof engine.address>>
    let environment: Record<string, string>
    let running: Running
    let url = ''

    beforeAll(async () => {
      store = await engine.address()
      environment = { SIMPUL_DATA_DIR: folder, SIMPUL_STORE: store.address }
      running = await serve(environment)
      url = running.url
    }, 30_000)
    afterAll(async () => {
      await running.stop()
      await store[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    })

    test('lives, is ready, and shows a page in two languages that runs no script', async () => {
      expect((await fetch(`${url}/health/live`)).status).toBe(200)
      expect((await fetch(`${url}/health/ready`)).status).toBe(200)
      const page = await fetch(`${url}/`)
      expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'/)
      const text = await page.text()
      expect(text).toContain('lang="id"')
      expect(text).toContain('lang="en"')
      expect(text).not.toContain('<script')
    })

    test('answers another host name with 421: a page elsewhere must not reach it by a name that it made up', async () => {
      const { request } = await import('node:http')
      const status = await new Promise(answered =>
        request(`${url}/fhir/metadata`, { headers: { host: 'evil.example' } }, answer => answered(answer.statusCode)).end(),
      )
      expect(status).toBe(421)
    })

    test('keeps patient data out of its log and its metrics, whatever clients do', async () => {
      await fetch(`${url}/fhir/Patient/${markers.id}`, { method: 'PUT', headers: json, body: JSON.stringify(patient) })
      for (const path of [
        `Patient?name=${encodeURIComponent(markers.name)}`,
        `Patient?identifier=${markers.nik}`,
        `Patient?nama=${markers.nik}`,
        `Patient/${markers.nik}`,
        `Patient/${markers.id}`,
        `Patient/${markers.id}/_history/99`,
        `${markers.nik}/1`,
        `Patient?birthdate=${markers.card}`,
      ])
        await fetch(`${url}/fhir/${path}`, { headers: { 'x-request-id': markers.phone, 'user-agent': markers.name } })
      for (const body of [
        `{"name": "${markers.name}"`,
        JSON.stringify({ ...patient, resourceType: markers.name }),
        JSON.stringify([markers.nik]),
      ]) {
        await fetch(`${url}/fhir/Patient`, { method: 'POST', headers: json, body })
      }
      const metrics = await (await fetch(`${url}/metrics`)).text()
      expect(metrics).toContain('simpul_http_requests_total')
      expect(running.log()).toContain('"event":"request"')
      for (const marker of Object.values(markers)) {
        expect(metrics).not.toContain(marker)
        expect(running.log()).not.toContain(marker)
      }
    })

    test('writes one JSON object a line', () => {
      for (const line of running
        .log()
        .split('\n')
        .filter(text => text.startsWith('{')))
        expect(() => JSON.parse(line)).not.toThrow()
    })

    test('finishes what is under way before it ends, and has everything it acknowledged', async () => {
      const writes = Array.from({ length: 60 }, (_, n) =>
        fetch(`${url}/fhir/Basic/b${n}`, {
          method: 'PUT',
          headers: json,
          body: JSON.stringify({ resourceType: 'Basic', id: `b${n}` }),
        }).then(
          answer => answer.status,
          () => 0,
        ),
      )
      await Promise.any(writes)
      const code = await running.stop()
      const acknowledged = (await Promise.all(writes)).filter(status => status === 201).length
      expect(code).toBe(0)
      const again = await serve(environment)
      const { total: stored } = (await (await fetch(`${again.url}/fhir/Basic?_summary=count`)).json()) as { total: number }
      expect(await again.stop()).toBe(0)
      expect(stored).toBeGreaterThanOrEqual(acknowledged)
      expect(acknowledged).toBeGreaterThan(0)
    })
  })
