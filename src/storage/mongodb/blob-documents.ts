import type { Binary, Long } from 'mongodb'

export const partBytes: number = 1024 * 1024

/** `simpul.blobs` */
export type BlobDocument = {
  readonly _id: string
  /** Being written; whole, and nobody's; somebody's; to be removed. */
  readonly state: 'open' | 'whole' | 'adopted' | 'dropped'
  /** bytes */
  readonly size: number
  /** Of one that is nobody's: when it last grew, by the clock of the store; the epoch where it is to be removed. */
  readonly at?: Date
  /** When all of it was there. */
  readonly whole?: Date
  /** Seq of the version that owns it. */
  readonly seq?: Long | number
}

/** `simpul.blobparts`: a part, by its number from 0. */
export type BlobPartDocument = { readonly _id: string; readonly bytes: Binary }

export const partKey = (blob: string, n: number): string => `${blob}/${n}`

/** Keys of all parts: what begins with the id and the mark behind it. */
export const partsOf = (blob: string) => ({ _id: { $gte: `${blob}/`, $lt: `${blob}0` } })
