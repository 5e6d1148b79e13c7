import { initial } from '../../../migrations/mongodb/0001-initial.ts'
import { relations } from '../../../migrations/mongodb/0002-relations.ts'
import { served } from '../../../migrations/mongodb/0003-served.ts'
import { several } from '../../../migrations/mongodb/0004-several.ts'
import { codesOfPatients } from '../../../migrations/mongodb/0005-codes-of-patients.ts'

/** What a collection has beside its documents. Names of indexes are what `hint` takes. */
export type CollectionLayout = {
  readonly indexes?: readonly IndexLayout[]
  /** Later steps drop by name. */
  readonly dropIndexes?: readonly string[]
  readonly validator?: object
  /** zstd: texts repeat themselves. */
  readonly compressed?: boolean
}

export type IndexLayout = {
  readonly name: string
  readonly key: Readonly<Record<string, 1 | -1 | 'hashed'>>
  readonly unique?: boolean
  readonly expireAfterSeconds?: number
  readonly partialFilterExpression?: object
}

/** One step of the layout: data only, so that the checksum covers all of it. Numbers count from 1 without gaps. */
export type Step = {
  readonly number: number
  readonly name: string
  /** System collections by the name behind `simpul.`: new ones, or what is added to those there are. */
  readonly collections?: Readonly<Record<string, CollectionLayout>>
  /** What is written from what is there, by the system collection that it comes from: pipelines that may run again. */
  readonly fills?: Readonly<Record<string, readonly object[]>>
  /** The same for the two collections of every resource type, those that are there and those to come. */
  readonly types?: {
    readonly newest?: CollectionLayout
    readonly past?: CollectionLayout
    /** What changes in newest versions that are there: an update that may run again. */
    readonly rewritten?: readonly object[]
  }
}

export const steps: readonly Step[] = [initial, relations, served, several, codesOfPatients]

export type TypeLayout = { readonly newest: CollectionLayout; readonly past: CollectionLayout }

/** What the steps come to, for a type whose first resource comes now. */
export const typeLayoutOf = (list: readonly Step[]): TypeLayout => ({
  newest: sumOf(list.map(step => step.types?.newest)),
  past: sumOf(list.map(step => step.types?.past)),
})

const sumOf = (layouts: readonly (CollectionLayout | undefined)[]): CollectionLayout => {
  const indexes = new Map<string, IndexLayout>()
  let validator: object | undefined
  for (const layout of layouts) {
    for (const name of layout?.dropIndexes ?? []) indexes.delete(name)
    for (const index of layout?.indexes ?? []) indexes.set(index.name, index)
    validator = layout?.validator ?? validator
  }
  return { indexes: [...indexes.values()], compressed: true, ...(validator === undefined ? {} : { validator }) }
}
