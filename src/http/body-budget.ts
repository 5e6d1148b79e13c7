/** Memory that all bodies under way hold together. A server that buffers whatever it is sent dies of enough clients. */
export type BodyBudget = {
  /** False when these bytes would be too many: the request that brought them must go. */
  readonly take: (bytes: number) => boolean
  /** What a request took, when its connection is done with it. */
  readonly give: (bytes: number) => void
}

export const createBodyBudget = (bytesMax: number): BodyBudget => {
  let held = 0
  return {
    take: bytes => {
      if (held + bytes > bytesMax) return false
      held += bytes
      return true
    },
    give: bytes => {
      held -= bytes
    },
  }
}
