import type { Leaf, Probe, Source } from '../../../search/plan.ts'
import type { Dictionary, NumberedShape } from '../dictionary.ts'
import type { Words } from './leaf.ts'
import type { Reading } from './reading.ts'

type Asked = { readonly leaf: Leaf; readonly type: string; readonly drives: boolean }

/**
 * The numbers that sources need before they are compiled. What nobody ever wrote at one moment may be there at the next: it is asked again once
 * the state is settled, so that all that the state holds has its number.
 */
export class KnownWords implements Words {
  readonly #dictionary: Dictionary
  readonly #reading: Reading
  readonly #systems = new Map<string, number>()
  readonly #shapes = new Map<string, readonly NumberedShape[]>()
  readonly #learnt = new Map<Source, Promise<void>>()

  constructor(dictionary: Dictionary, reading: Reading) {
    this.#dictionary = dictionary
    this.#reading = reading
  }

  system(uri: string): number | undefined {
    return this.#systems.get(uri)
  }

  shapes(type: string): readonly NumberedShape[] {
    const known = this.#shapes.get(type)
    if (known === undefined) throw new Error('Shapes are asked for before they are learnt')
    return known
  }

  learn(source: Source): Promise<void> {
    const learning = this.#learnt.get(source) ?? this.#learn([...leavesOf(source)])
    this.#learnt.set(source, learning)
    return learning
  }

  async #learn(asked: readonly Asked[]): Promise<void> {
    const uris = new Set(asked.flatMap(({ leaf }) => systemsIn(leaf)).filter(uri => !this.#systems.has(uri)))
    await this.#learnSystems(uris)
    const unknown = [...uris].filter(uri => !this.#systems.has(uri))
    if (unknown.length > 0) {
      await this.#reading.settle()
      await this.#learnSystems(unknown)
    }
    const types = new Set(asked.flatMap(one => (needsShapes(one) && !this.#shapes.has(one.type) ? [one.type] : [])))
    if (types.size > 0) await this.#reading.settle()
    await Promise.all([...types].map(async type => this.#shapes.set(type, await this.#dictionary.shapes(type))))
  }

  async #learnSystems(uris: Iterable<string>): Promise<void> {
    const look = async (uri: string): Promise<void> => {
      const number = await this.#dictionary.system(uri)
      if (number !== undefined) this.#systems.set(uri, number)
    }
    await Promise.all([...uris].map(look))
  }
}

const systemsIn = (leaf: Leaf): readonly string[] => {
  switch (leaf.op) {
    case 'token':
      return leaf.system === undefined ? [] : [leaf.system]
    case 'list':
      return leaf.of.flatMap(systemsIn)
    case 'otherwise':
      return systemsIn(leaf.of)
    default:
      return []
  }
}

const needsShapes = ({ leaf, drives }: Asked): boolean =>
  leaf.op === 'missing' || (drives && (leaf.op === 'otherwise' || leaf.op === 'unsorted'))

function* leavesOf({ type, driver, probes }: Source): Generator<Asked> {
  if (driver.by === 'entries') yield { leaf: driver.node, type, drives: true }
  if (driver.by === 'union') for (const one of driver.of) yield* leavesOf(one)
  if (driver.by === 'inner') for (const one of driver.inner) yield* leavesOf(one)
  for (const probe of probes) yield* leavesAsked(probe, type)
}

function* leavesAsked(probe: Probe, type: string): Generator<Asked> {
  switch (probe.how) {
    case 'check':
    case 'set':
      yield { leaf: probe.node, type, drives: false }
      return
    case 'any':
    case 'every':
      for (const one of probe.of) yield* leavesAsked(one, type)
      return
    case 'not':
      yield* leavesAsked(probe.of, type)
      return
    case 'follow':
      for (const [n, list] of probe.inner.entries()) for (const one of list) yield* leavesAsked(one, innerTypeOf(probe.node, n))
      return
    case 'inner':
      for (const one of probe.inner) yield* leavesOf(one)
  }
}

export const innerTypeOf = (node: Extract<Probe, { how: 'follow' }>['node'], n: number): string =>
  node.op === 'chain' ? (node.of[n]?.type ?? '') : node.of.type
