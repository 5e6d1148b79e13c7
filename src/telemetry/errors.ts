/** A thrown error as a log may show it: where in our own code, never what a foreign library said. */
export type ErrorShape = { readonly name: string; readonly code?: string; readonly frames: readonly string[]; readonly cause?: ErrorShape }

const framesMax = 12
const causesMax = 4

/** Name, code, own stack frames (file and line), and the same of its causes. No message: it may quote a record. */
export const errorShape = (error: unknown, depth = 0): ErrorShape => {
  if (!Error.isError(error)) return { name: typeof error, frames: [] }
  const code = (error as Error & { readonly code?: unknown }).code
  return {
    name: word(error.name),
    ...(typeof code === 'string' || typeof code === 'number' ? { code: word(String(code)) } : {}),
    frames: ownFrames(error.stack ?? ''),
    ...(error.cause === undefined || depth >= causesMax ? {} : { cause: errorShape(error.cause, depth + 1) }),
  }
}

const word = (text: string): string => (/^[\w.-]{1,64}$/.test(text) ? text : 'Error')

/** `http/pipeline.ts:41`: relative to the source folder, so that no path of the machine shows. */
const ownFrames = (stack: string): string[] =>
  [...stack.matchAll(/\/src\/((?:[\w-]+\/)*[\w-]+\.ts):(\d+)/g)].slice(0, framesMax).map(([, file, line]) => `${file}:${line}`)
