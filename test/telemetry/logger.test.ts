/** operate.md 4: what a log line may hold. */
import { Writable } from 'node:stream'
import { describe, expect, test } from '@jest/globals'
import { errorShape } from '../../src/telemetry/errors.ts'
import { createEvents, type Events, type RequestFields } from '../../src/telemetry/events.ts'
import { createLogger, type LogLevel } from '../../src/telemetry/logger.ts'
import { redactText } from '../../src/telemetry/redact.ts'

const collected = (level: LogLevel = 'info') => {
  let text = ''
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk.toString()
      done()
    },
  })
  const rules: string[] = []
  const logger = createLogger({ level, version: '1.2.3', stream, redacted: rule => rules.push(rule) })
  const lines = () =>
    text
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line))
  return { logger, lines, rules }
}

const request: RequestFields = {
  request: '01a1fe96-5fd6-7a04-af10-899038efe125',
  method: 'GET',
  interaction: 'read',
  status: 200,
  ms: 1.23456,
  bytes: 10,
}

const answered = (events: Events, fields: RequestFields): void => events.requestAnswered(fields.status, () => fields)

describe('a line', () => {
  test('is one JSON object with time, level, version and event', () => {
    const { logger, lines } = collected()
    answered(createEvents(logger), { ...request, resourceType: 'Observation', id: 'o1' })
    expect(lines()).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        level: 'info',
        version: '1.2.3',
        event: 'request',
        ...request,
        resourceType: 'Observation',
        id: 'o1',
        ms: 1.23,
      },
    ])
  })

  test('below the level is not written', () => {
    const { logger, lines } = collected('error')
    const events = createEvents(logger)
    answered(events, request)
    answered(events, { ...request, status: 503 })
    expect(lines()).toHaveLength(0)
    expect(logger.writes('error')).toBe(true)
  })

  test('does not tell the id of a person', () => {
    const { logger, lines } = collected()
    answered(createEvents(logger), { ...request, resourceType: 'Patient', id: 'budi' })
    expect(lines()[0].id).toBeUndefined()
  })

  test('of an audit record counts what was touched', () => {
    const { logger, lines } = collected('debug')
    const record = {
      requestId: 'r',
      via: 'http',
      principal: 'anonymous',
      interaction: 'read',
      type: 'Patient',
      status: 200,
      ms: 1,
    } as const
    createEvents(logger).audited({ ...record, outcome: 'success', touched: [{ id: 'budi' }] })
    createEvents(logger).audited({ ...record, outcome: 'denied', status: 403, touched: [] })
    expect(lines()).toMatchObject([
      { level: 'debug', event: 'audit', count: 1 },
      { level: 'warn', outcome: 'denied', count: 0 },
    ])
    expect(JSON.stringify(lines())).not.toContain('budi')
  })

  test('loses unknown fields, and tells that it did', () => {
    const { logger, lines, rules } = collected()
    logger.write('info', { event: 'request', surprise: 'x', error: { name: 'E', message: 'Budi' } })
    expect(lines()[0]).toMatchObject({ event: 'request', error: { name: 'E' } })
    expect(JSON.stringify(lines()[0])).not.toMatch(/surprise|Budi/)
    expect(rules).toEqual(['unknown-field', 'unknown-field'])
  })
})

test('above 500 a second one request in ten is written, failures always', () => {
  const { logger, lines } = collected()
  const events = createEvents(logger, () => 1000)
  for (let n = 0; n < 1500; n++) answered(events, request)
  expect(lines()).toHaveLength(600)
  for (let n = 0; n < 25; n++) answered(events, { ...request, status: 404 })
  expect(lines()).toHaveLength(625)
})

describe('a text that looks like a person or a secret', () => {
  // biome-ignore format: a table
  const rows: readonly (readonly [text: string, clean: string])[] = [
    ['NIK 3171234567890001 seen',             'NIK [redacted:nik] seen'],
    ['card 0001234567890',                    'card [redacted:bpjs]'],
    ['0301R0011117V000008',                   '[redacted:sep]'],
    ['call +6281234567890',                   'call [redacted:phone]'],
    ['081234567890',                          '[redacted:phone]'],
    ['budi@example.org',                      '[redacted:email]'],
    ['Bearer abcdef',                         '[redacted:bearer]'],
    ['eyJhbGciOi.eyJzdWIi.abc',               '[redacted:jwt]'],
    ['Patient/17',                            '[redacted:patient]'],
    ['/fhir/Patient?name=budi',               '/fhir/Patient[redacted:query]'],
    ['QUJD'.repeat(20),                       '[redacted:base64]'],
    ['01a1fe96-5fd6-7a04-af10-899038efe125',  '01a1fe96-5fd6-7a04-af10-899038efe125'],
    ['search-type',                           'search-type'],
  ]
  for (const [text, clean] of rows) test(`${text.slice(0, 40)} becomes ${clean}`, () => expect(redactText(text, () => {})).toBe(clean))
})

test('an error shows its name, code, own frames and causes, never a message', () => {
  const shape = errorShape(new RangeError('Budi', { cause: Object.assign(new Error('secret'), { code: 'SQLITE_FULL' }) }))
  expect(shape).toMatchObject({ name: 'RangeError', cause: { name: 'Error', code: 'SQLITE_FULL' } })
  expect(JSON.stringify(shape)).not.toMatch(/Budi|secret|node_modules/)
  expect(errorShape('thrown text')).toEqual({ name: 'string', frames: [] })
})
