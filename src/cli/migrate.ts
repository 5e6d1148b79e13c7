import type { MigrationState, Migrations } from '../storage/migrations.ts'
import { exitCodes } from './exit-codes.ts'
import { report, type Terminal } from './terminal.ts'

export const migrateActions = ['status', 'up'] as const
export type MigrateAction = (typeof migrateActions)[number]

/** `simpul migrate status|up`: what the schema of the store has, or bringing it to what this version needs. Forward only; as often as one likes. */
export const migrate = async (open: () => Promise<Migrations>, action: MigrateAction, terminal: Terminal): Promise<number> => {
  await using migrations = await open()
  const before = await migrations.status()
  const states = action === 'up' ? await migrations.up() : before
  for (const state of states) report(terminal, recordOf(state), lineOf(state))
  terminal.err(summary(before, states))
  return exitCodes.good
}

const recordOf = ({ at, ...state }: MigrationState) => (at === undefined ? state : { ...state, at: new Date(at).toISOString() })

const lineOf = ({ number, name, state, at }: MigrationState): string =>
  [String(number).padStart(4, '0'), name.padEnd(24), state.padEnd(8), ...(at === undefined ? [] : [new Date(at).toISOString()])]
    .join('  ')
    .trimEnd()

const summary = (before: readonly MigrationState[], after: readonly MigrationState[]): string => {
  const [was, is] = [pending(before), pending(after)]
  if (is > 0) return `${is} pending. "simpul migrate up" does them; so does a server that starts.`
  return was > 0 ? `${was} done. The store is as this version needs it.` : 'The store is as this version needs it.'
}

const pending = (states: readonly MigrationState[]): number => states.filter(({ state }) => state === 'pending').length
