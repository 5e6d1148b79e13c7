import type { Document } from 'mongodb'
import type { Command, Reading } from './reading.ts'

/** Stages named for one command: a walk over hundreds of values has as many alike. */
const stagesMax = 12

/** What a command asks, and how the server answers it: stages, keys and documents examined, rows. Without values. */
export const explainCommand = async (command: Command, reading: Reading): Promise<readonly string[]> => {
  const { db } = reading.database
  const { batchSize: _, ...asked } = command
  const explain = 'aggregate' in asked ? { ...asked, cursor: {} } : asked
  const answer = await db.command({ explain, verbosity: 'executionStats' })
  const cursor: Document = answer.stages?.[0]?.$cursor ?? answer
  const { totalKeysExamined, totalDocsExamined, nReturned } = cursor.executionStats ?? {}
  const stages = stagesOf(cursor.queryPlanner?.winningPlan)
  return [
    `${'find' in command ? `find ${command.find}` : `aggregate ${command.aggregate}`}, index ${command.hint}${ordered(command)}`,
    ...shown(command).map(line => `  ${line}`),
    `  stages: ${stages.slice(0, stagesMax).join(', ')}${stages.length > stagesMax ? ` and ${stages.length - stagesMax} more` : ''}`,
    `  keys examined ${totalKeysExamined}, documents examined ${totalDocsExamined}, rows ${nReturned}`,
  ]
}

const ordered = ({ sort, limit }: Command): string =>
  `${sort === undefined ? '' : `, sort ${JSON.stringify(sort)}`}${limit === undefined ? '' : `, limit ${limit}`}`

const shown = (command: Command): readonly string[] => {
  if (!('aggregate' in command)) return [`filter: ${JSON.stringify(withoutValues(command.filter))}`]
  return (command.pipeline as readonly Document[]).map(stage => `stage: ${JSON.stringify(withoutValues(stage))}`)
}

/** Names of fields and operators stay. A list of values becomes one. */
export const withoutValues = (of: unknown): unknown => {
  if (Array.isArray(of)) return of.every(isValue) ? ['?'] : of.map(withoutValues)
  if (isValue(of)) return '?'
  return Object.fromEntries(Object.entries(of as object).map(([name, value]) => [name, withoutValues(value)]))
}

const isValue = (of: unknown): boolean => of === null || typeof of !== 'object' || of instanceof Date || '_bsontype' in of

const stagesOf = (plan: Document | undefined): readonly string[] => {
  if (plan === undefined) return []
  // Newer servers put the classic plan one level deeper.
  if (plan.queryPlan !== undefined) return stagesOf(plan.queryPlan)
  const { inputStage, inputStages = [], shards = [] } = plan
  const below = [...(inputStage === undefined ? [] : [inputStage]), ...inputStages, ...shards.map((shard: Document) => shard.winningPlan)]
  return [plan.stage, ...below.flatMap(stagesOf)]
}
