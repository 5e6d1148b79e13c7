/** Members of a version straight from BSON, judged by the driver's own. @see https://bsonspec.org/spec.html */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  Binary,
  BSON,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'mongodb'
import { versionFields } from '../../src/storage/mongodb/bson-fields.ts'

/** Values of every type BSON knows. */
const anyValue: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>(tie => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.string({ unit: 'grapheme' }),
    fc.double(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.date({ noInvalidDate: true }),
    fc.constantFrom(
      new ObjectId(),
      new Binary(new Uint8Array([1, 2, 3])),
      new BSONRegExp('^a', 'i'),
      new Code('f'),
      new Code('f', { a: 1 }),
      new BSONSymbol('s'),
      new Timestamp({ t: 1, i: 2 }),
      Decimal128.fromString('1.50'),
      new MinKey(),
      new MaxKey(),
      new DBRef('c', new ObjectId()),
      Long.fromString('9007199254740991'),
    ),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), tie('value'), { maxKeys: 4 }),
  ),
})).value

const numberForms = (n: number): readonly unknown[] => [Long.fromNumber(n), new Double(n), ...(n < 2 ** 31 ? [new Int32(n)] : [])]
const ofForms = (range: fc.Arbitrary<number>): fc.Arbitrary<[number, unknown]> =>
  range.chain(n => fc.constantFrom(...numberForms(n)).map(form => [n, form] as [number, unknown]))

const version = fc.record({
  key: fc.string({ unit: 'grapheme' }),
  id: fc.option(fc.string(), { nil: undefined }),
  seq: ofForms(fc.maxSafeNat()),
  versionId: ofForms(fc.integer({ min: 1, max: 1e6 })),
  method: fc.constantFrom('POST', 'PUT', 'DELETE'),
  deleted: fc.constantFrom(true, undefined),
  text: fc.option(fc.string({ unit: 'grapheme', maxLength: 200 }), { nil: undefined }),
  parts: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
  until: fc.option(ofForms(fc.maxSafeNat()), { nil: undefined }),
})

const others = fc.dictionary(
  fc.stringMatching(/^[a-z_]{1,10}$/).filter(name => !['id', 'seq', 'method', 'deleted', 'text', 'parts', 'until', '_id'].includes(name)),
  anyValue,
  { maxKeys: 6 },
)

const withoutUndefined = (value: object): object => Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined))

describe('a version read from BSON', () => {
  test('is what the driver would have read, whatever stands beside it', () => {
    fc.assert(
      fc.property(version, others, others, fc.boolean(), (wanted, before, after, shifted) => {
        const { key, seq, versionId, until, ...rest } = wanted
        const document = { _id: key, seq: seq[1], versionId: versionId[1], until: until?.[1], ...rest }
        const bson = BSON.serialize({ ...before, ...withoutUndefined(document), ...after }, { ignoreUndefined: true })
        // As it lies within a reply.
        const bytes = shifted ? Buffer.concat([Buffer.alloc(3), bson]).subarray(3) : bson
        const read = versionFields(bytes)
        expect({ ...read, text: read.text && new TextDecoder().decode(read.text) }).toEqual({
          ...rest,
          key,
          seq: seq[0],
          versionId: versionId[0],
          until: until?.[0],
          deleted: wanted.deleted === true,
        })
      }),
    )
  })

  const whole = BSON.serialize({ _id: 'a', seq: Long.fromNumber(5), versionId: 1, method: 'PUT', text: 'é', ix: { tk: ['*'] }, r: /a/i })

  test('is refused where bytes are missing or changed lengths point outside', () => {
    expect(versionFields(whole)).toMatchObject({ key: 'a', seq: 5, versionId: 1, method: 'PUT', deleted: false })
    for (let length = 0; length < whole.length; length++) expect(() => versionFields(whole.subarray(0, length))).toThrow()
    for (let length = 5; length < whole.length; length++) {
      const cut = Uint8Array.from(whole.subarray(0, length))
      new DataView(cut.buffer).setInt32(0, length, true)
      cut[length - 1] = 0
      // Never anything beyond the document: either it still is one, or it says so.
      try {
        versionFields(cut)
      } catch (error) {
        expect(Error.isError(error)).toBe(true)
      }
    }
  })

  test('any bytes at all are read or refused, in bounded time', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 5, maxLength: 60 }), bytes => {
        new DataView(bytes.buffer, bytes.byteOffset).setInt32(0, bytes.length, true)
        bytes[bytes.length - 1] = 0
        try {
          versionFields(bytes)
        } catch (error) {
          expect(Error.isError(error)).toBe(true)
        }
      }),
    )
  })

  test('without what every version has it is none', () => {
    for (const missing of ['_id', 'seq', 'versionId', 'method']) {
      const { [missing]: _, ...rest } = { _id: 'a', seq: 5, versionId: 1, method: 'PUT' } as Record<string, unknown>
      expect(() => versionFields(BSON.serialize(rest))).toThrow('no stored version')
    }
    expect(() => versionFields(BSON.serialize({ _id: 'a', seq: 'x', versionId: 1, method: 'PUT' }))).toThrow('no stored version')
    expect(() => versionFields(BSON.serialize({ _id: 'a', seq: 1, versionId: 1, method: 'PATCH' }))).toThrow('no stored version')
  })
})
