import { createContext, Script } from 'node:vm'

const box: { run: () => void } = { run: () => {} }
const runBox = new Script('run()')
const context = createContext(box)

/**
 * Runs `work` for at most `ms` milliseconds; undefined when they did not suffice. The library has no budget of steps, but the engine can stop
 * whatever runs on this thread: nothing of what was stopped may be used afterwards.
 */
export const bounded = <T>(ms: number, work: () => T): { readonly value: T } | undefined => {
  let result: { readonly value: T } | undefined
  box.run = () => {
    result = { value: work() }
  }
  try {
    runBox.runInContext(context, { timeout: ms })
    return result
  } catch (error) {
    if (isTimeout(error)) return undefined
    throw error
  } finally {
    box.run = () => {}
  }
}

const isTimeout = (error: unknown): boolean => Error.isError(error) && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
