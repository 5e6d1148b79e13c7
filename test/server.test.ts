/**
 * The whole server as `simpul serve` starts it: start page, health and metrics, a log without patient data, and an end that loses nothing.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { freePort } from './support/free-port.ts'

/** Planted in every place a client controls; none may leave the store by another way than an answer. */
const markers = { name: 'Rahasia Sekali', nik: '3174015708900017', card: '0001234567890', phone: '+62 812 3456 7890', id: 'rahasia-1' }

const folder = mkdtempSync(join(tmpdir(), 'simpul-server-'))
const json = { 'content-type': 'application/fhir+json' }
let url = ''
let log = ''
let stop: () => Promise<number>

beforeAll(async () => {
  const port = await freePort()
  const child = spawn(process.execPath, [resolve(import.meta.dirname, '../bin/simpul.js'), 'serve'], {
    env: {
      PATH: process.env.PATH ?? '',
      SIMPUL_AUTH: 'off',
      SIMPUL_PORT: String(port),
      SIMPUL_DATA_DIR: folder,
      SIMPUL_LOG_LEVEL: 'debug',
    },
  })
  const said = new Promise<void>(listening => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', part => {
        log += part
        if (log.includes('listens on')) listening()
      })
    }
  })
  await said
  url = `http://127.0.0.1:${port}`
  stop = async () => {
    child.kill('SIGTERM')
    return ((await once(child, 'exit')) as [number])[0]
  }
}, 30_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const patient = {
  resourceType: 'Patient',
  id: markers.id,
  identifier: [{ system: 'https://fhir.kemkes.go.id/id/nik', value: markers.nik }, { value: markers.card }],
  name: [{ text: markers.name }],
  telecom: [{ system: 'phone', value: markers.phone }],
}

describe('the server', () => {
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
    expect(log).toContain('"event":"request"')
    for (const marker of Object.values(markers)) {
      expect(metrics).not.toContain(marker)
      expect(log).not.toContain(marker)
    }
  })

  test('writes one JSON object a line', () => {
    for (const line of log.split('\n').filter(text => text.startsWith('{'))) expect(() => JSON.parse(line)).not.toThrow()
  })

  test('finishes what is under way before it ends, and has everything it acknowledged', async () => {
    const writes = Array.from({ length: 60 }, (_, n) =>
      fetch(`${url}/fhir/Basic/b${n}`, { method: 'PUT', headers: json, body: JSON.stringify({ resourceType: 'Basic', id: `b${n}` }) }).then(
        answer => answer.status,
        () => 0,
      ),
    )
    await Promise.any(writes)
    const code = await stop()
    const acknowledged = (await Promise.all(writes)).filter(status => status === 201).length
    expect(code).toBe(0)
    const { DatabaseSync } = await import('node:sqlite')
    const db = new DatabaseSync(join(folder, 'simpul.db'), { readOnly: true })
    const stored = db.prepare("SELECT count(*) AS n FROM instance JOIN type USING (t) WHERE name = 'Basic'").get()?.n as number
    db.close()
    expect(stored).toBeGreaterThanOrEqual(acknowledged)
    expect(acknowledged).toBeGreaterThan(0)
  })
})
