/** Files as `simpul import` reads them: streams of documents, by line or whole. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from '@jest/globals'
import { documentsOf, findSources, type SourceFile } from '../../src/cli/import-source.ts'

const folder = mkdtempSync(join(tmpdir(), 'simpul-source-'))
afterAll(() => rmSync(folder, { recursive: true }))

const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const readAll = async (path: string, bytesMax = 1_000_000): Promise<[number, string][]> => {
  const { files } = await findSources([path])
  const found: [number, string][] = []
  for await (const { line, bytes } of documentsOf(files[0] as SourceFile, bytesMax)) found.push([line, Buffer.from(bytes).toString()])
  return found
}

const rows: readonly (readonly [name: string, content: string | Uint8Array, documents: readonly [number, string][]])[] = [
  [
    'two.ndjson',
    '{"a":1}\n{"b":2}\n',
    [
      [1, '{"a":1}'],
      [2, '{"b":2}'],
    ],
  ],
  [
    'no-last-newline.ndjson',
    '{"a":1}\n{"b":2}',
    [
      [1, '{"a":1}'],
      [2, '{"b":2}'],
    ],
  ],
  [
    'blank-lines.ndjson',
    '\n{"a":1}\r\n  \n{"b":2}\n\n',
    [
      [2, '{"a":1}\r'],
      [4, '{"b":2}'],
    ],
  ],
  [
    'packed.ndjson.gz',
    gzipSync('{"a":1}\n{"b":2}\n'),
    [
      [1, '{"a":1}'],
      [2, '{"b":2}'],
    ],
  ],
  ['whole.json', '{\n "a": 1\n}\n', [[0, '{\n "a": 1\n}\n']]],
  ['empty.ndjson', '', []],
  [
    'long.ndjson',
    `{"a":"${'x'.repeat(600_000)}"}\n{"b":2}`,
    [
      [1, `{"a":"${'x'.repeat(600_000)}"}`],
      [2, '{"b":2}'],
    ],
  ],
]

describe('a file of documents', () => {
  for (const [name, content, documents] of rows) {
    test(`${name} gives ${documents.length} documents with their line numbers`, async () => {
      expect(await readAll(file(name, content))).toEqual(documents)
    })
  }

  test('refuses a document over the limit by file and line, without holding it', async () => {
    const path = file('large.ndjson', `{"a":1}\n${'x'.repeat(5000)}`)
    await expect(readAll(path, 1000)).rejects.toThrow(/large\.ndjson:2 is larger than 1000 bytes/)
  })

  test('fails on a cut gzip instead of ending early', async () => {
    const whole = gzipSync('{"a":1}\n'.repeat(1000))
    await expect(readAll(file('cut.ndjson.gz', whole.subarray(0, whole.length - 12)))).rejects.toHaveProperty('code', 'Z_BUF_ERROR')
  })
})

describe('finding files', () => {
  test('walks folders in order of names, leaves other kinds alone and names what was asked for in vain', async () => {
    const inner = join(folder, 'tree', 'b')
    mkdirSync(inner, { recursive: true })
    for (const path of [join(folder, 'tree', 'z.json'), join(inner, 'a.ndjson'), join(folder, 'tree', 'readme.txt')])
      writeFileSync(path, '{}')
    const found = await findSources([join(folder, 'tree'), join(folder, 'none.json'), join(folder, 'tree', 'readme.txt')])
    expect(found.files.map(({ path }) => path.slice(folder.length + 1))).toEqual(['tree/b/a.ndjson', 'tree/z.json'])
    expect(found.strange).toEqual([join(folder, 'none.json'), join(folder, 'tree', 'readme.txt')])
  })
})
