import type { NewVersion, Relation } from './port.ts'

/** Relations of one version. */
const relationsMax = 10_000
/** Bytes of whoever it serves. */
const ofBytesMax = 256

/** Throws `RangeError` where a version says more of relations than a store keeps, or something else: whoever wrote the version has made a mistake. */
export const checkRelations = (versions: readonly Pick<NewVersion, 'relations'>[]): void => {
  for (const { relations = [] } of versions) {
    if (relations.length > relationsMax) throw new RangeError(`A version has at most ${relationsMax} relations`)
    for (const relation of relations) checkRelation(relation)
  }
}

const checkRelation = ({ of, since, until }: Relation): void => {
  if (of.length * 3 > ofBytesMax && Buffer.byteLength(of) > ofBytesMax) throw new RangeError(`\`of\` has at most ${ofBytesMax} bytes`)
  for (const instant of [since, until])
    if (instant !== undefined && !Number.isSafeInteger(instant)) throw new RangeError('A relation begins and ends at a whole millisecond')
}
