import { randomUUID } from 'node:crypto'
import { appendFile, readFile, rename, writeFile } from 'node:fs/promises'
import type { Clock } from '../base/clock.ts'
import { deadlineIn } from '../base/deadline.ts'
import { sentence } from '../base/failure-kinds.ts'
import type { Limits } from '../base/limits.ts'
import { type Failure, fail, type Outcome, statusOf } from '../base/outcome.ts'
import { parseJson } from '../fhir/model/json.ts'
import type { Resource } from '../fhir/model/resource.ts'
import type { Answer, Context, InteractionRequest, Perform, Principal } from '../interactions/request.ts'
import { exitCodes } from './exit-codes.ts'
import { Mark } from './import-mark.ts'
import { documentsOf, findSources, type SourceDocument, SourceError, type SourceFile } from './import-source.ts'
import { createProgress } from './progress.ts'
import { report, type Terminal } from './terminal.ts'

/** What the verb works with. */
export type ImportParts = {
  readonly perform: Perform
  readonly principal: Principal
  readonly limits: Limits
  readonly clock: Clock
  readonly terminal: Terminal
}

export type ImportOptions = {
  readonly paths: readonly string[]
  /** Documents under way at once. */
  readonly parallel: number
  /** File that remembers how far the import came; given again, it goes on there, and no document is taken in twice. */
  readonly resume?: string
  /** File that every refused document is named in, one JSON object a line, without its content. */
  readonly rejects?: string
}

type Refusal = {
  readonly file: string
  readonly line: number
  readonly status: number
  readonly code: string
  readonly diagnostics: string
  readonly expression?: readonly string[]
}

/** How far each file came: every line up to `lines` is settled. Lines beyond it are kept from a second intake by their key in the store. */
type Resume = { readonly run: string; readonly lines: Record<string, number> }

const inFlightBytesMax = 64 * 1024 * 1024
const refusalsShown = 20

/** `simpul import`: transaction and batch Bundles are executed, other resources are stored (PUT with an id, POST without). */
export const importFiles = async (parts: ImportParts, options: ImportOptions): Promise<number> => {
  const { files, strange } = await findSources(options.paths)
  for (const path of strange) parts.terminal.err(`${path} is no .json, .ndjson or .jsonl file (with or without .gz), or does not exist.`)
  if (strange.length > 0) return exitCodes.usage
  const run = new ImportRun(parts, options, files, await readResume(options.resume))
  await run.all()
  return run.close()
}

const readResume = async (path: string | undefined): Promise<Resume> => {
  const text = path === undefined ? undefined : await readFile(path, 'utf8').catch(() => undefined)
  return text === undefined ? { run: randomUUID(), lines: {} } : (JSON.parse(text) as Resume)
}

class ImportRun {
  private readonly parts: ImportParts
  private readonly options: ImportOptions
  private readonly files: readonly SourceFile[]
  private readonly resume: Resume
  private readonly underWay = new Map<Promise<void>, number>()
  private readonly refusals: Refusal[] = []
  private readonly written: Record<string, number> = {}
  private resources = 0
  private documents = 0
  private skipped = 0
  private refused = 0
  private broken = 0
  private underWayBytes = 0
  private readonly started: number
  private saved = 0
  private failure: unknown

  constructor(parts: ImportParts, options: ImportOptions, files: readonly SourceFile[], resume: Resume) {
    this.parts = parts
    this.options = options
    this.files = files
    this.resume = resume
    this.started = parts.clock()
  }

  async all(): Promise<void> {
    const total = this.files.reduce((sum, file) => sum + file.bytes, 0)
    const progress = createProgress('import', this.parts.terminal, this.parts.clock)
    let before = 0
    for (const file of this.files) {
      const mark = new Mark(this.resume.lines[file.path] ?? -1)
      try {
        for await (const document of documentsOf(file, this.parts.limits.bundleBytesMax)) {
          if (this.failure !== undefined) throw this.failure
          progress({ done: before + document.readBytes, total, count: this.resources, unit: 'resources' })
          if (document.line <= mark.settled) this.skipped += 1
          else await this.start(document, file, mark)
        }
      } catch (error) {
        if (!(error instanceof SourceError) && !isBrokenFile(error)) throw error
        this.broken += 1
        this.parts.terminal.err(error instanceof SourceError ? error.message : `${file.path} cannot be read to its end.`)
      }
      await Promise.all(this.underWay.keys())
      before += file.bytes
    }
    if (this.failure !== undefined) throw this.failure
  }

  /** Takes the document in beside others; waits while too many documents or bytes are under way. */
  private async start(document: SourceDocument, file: SourceFile, mark: Mark): Promise<void> {
    while (
      this.underWay.size >= this.options.parallel ||
      (this.underWay.size > 0 && this.underWayBytes + document.bytes.length > inFlightBytesMax)
    ) {
      await Promise.race(this.underWay.keys())
    }
    mark.begin(document.line)
    this.underWayBytes += document.bytes.length
    const work = this.take(document)
      .then(() => {
        mark.end(document.line)
        this.resume.lines[file.path] = mark.settled
        return this.save(false)
      })
      .catch((error: unknown) => {
        this.failure ??= error
      })
      .finally(() => {
        this.underWay.delete(work)
        this.underWayBytes -= document.bytes.length
      })
    this.underWay.set(work, document.bytes.length)
  }

  private async take(document: SourceDocument): Promise<void> {
    const outcome = await this.perform(document)
    if (outcome.ok) return this.count(outcome.value)
    if (outcome.failure.kind === 'already-done') this.skipped += 1
    else await this.refuse(document, outcome.failure)
  }

  private async perform(document: SourceDocument): Promise<Outcome<Answer>> {
    const parsed = parseJson(document.bytes, { depthMax: this.parts.limits.depthMax })
    if (!parsed.ok) return parsed
    const resource = parsed.value as Resource
    const request = requestFor(resource)
    return request === undefined ? fail('no-resource-type', {}) : this.parts.perform(request, this.context(document))
  }

  private context(document: SourceDocument): Context {
    return {
      principal: this.parts.principal,
      requestId: `import-${this.resume.run}`,
      deadline: deadlineIn(10 * this.parts.limits.transactionMs),
      via: 'internal',
      ...(this.options.resume === undefined ? {} : { once: `import/${this.resume.run}/${document.file}/${document.line}` }),
    }
  }

  private count(answer: Answer): void {
    this.documents += 1
    for (const { type } of answer.touched ?? []) {
      this.written[type] = (this.written[type] ?? 0) + 1
      this.resources += 1
    }
  }

  private async refuse(document: SourceDocument, failure: Failure): Promise<void> {
    const refusal: Refusal = {
      file: document.file,
      line: document.line,
      status: statusOf(failure),
      code: failure.kind,
      diagnostics: sentence(failure.kind, failure.values, 'en'),
      ...(failure.expression ? { expression: failure.expression } : {}),
    }
    this.refused += 1
    if (this.refusals.length < refusalsShown) this.refusals.push(refusal)
    if (this.options.rejects !== undefined) await appendFile(this.options.rejects, `${JSON.stringify(refusal)}\n`)
  }

  /** At most once a second, and at the end; a rename, so that a crash leaves the old file or the new one. */
  private async save(last: boolean): Promise<void> {
    const { resume } = this.options
    const now = this.parts.clock()
    if (resume === undefined || (!last && now - this.saved < 1000)) return
    this.saved = now
    await writeFile(`${resume}.new`, JSON.stringify(this.resume))
    await rename(`${resume}.new`, resume)
  }

  async close(): Promise<number> {
    await this.save(true)
    const { terminal, clock } = this.parts
    const seconds = Math.max((clock() - this.started) / 1000, 0.001)
    for (const { file, line, status, diagnostics, expression } of this.refusals) {
      terminal.err(
        `refused ${file}${line > 0 ? `:${line}` : ''}: ${status} ${diagnostics}${expression ? ` [${expression.join(', ')}]` : ''}`,
      )
    }
    if (this.refused > refusalsShown) terminal.err(`… and ${this.refused - refusalsShown} more; --rejects FILE names them all.`)
    const types = Object.fromEntries(Object.entries(this.written).sort(([a], [b]) => (a < b ? -1 : 1)))
    if (!terminal.json)
      for (const [type, count] of Object.entries(types)) terminal.out(`${type.padEnd(28)} ${count.toLocaleString('en').padStart(10)}`)
    report(
      terminal,
      {
        verb: 'import',
        documents: this.documents,
        resources: this.resources,
        types,
        refused: this.refused,
        brokenFiles: this.broken,
        skipped: this.skipped,
        seconds,
        perSecond: Math.round(this.resources / seconds),
      },
      `${this.documents.toLocaleString('en')} documents, ${this.resources.toLocaleString('en')} resources in ${seconds.toFixed(1)} s (${Math.round(this.resources / seconds).toLocaleString('en')}/s); ${this.refused} refused, ${this.skipped} already there.`,
    )
    return this.refused + this.broken === 0 ? exitCodes.good : exitCodes.incomplete
  }
}

const requestFor = (resource: Resource): InteractionRequest | undefined => {
  const type = resource?.resourceType
  if (typeof type !== 'string') return undefined
  const body = { kind: 'parsed', resource } as const
  const common = { parameters: [], prefer: { return: 'minimal', handling: 'strict' }, body } as const
  if (type === 'Bundle' && (resource.type === 'transaction' || resource.type === 'batch')) return { ...common, interaction: resource.type }
  return typeof resource.id === 'string'
    ? { ...common, interaction: 'update', type, id: resource.id }
    : { ...common, interaction: 'create', type }
}

const isBrokenFile = (error: unknown): boolean =>
  Error.isError(error) && 'code' in error && /^(Z_|EIO|EISDIR|ENOENT|EACCES|ERR_)/.test(String(error.code))
