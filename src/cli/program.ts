import { Argument, Command, InvalidArgumentError } from 'commander'
import type { Clock } from '../base/clock.ts'
import { type Config, readConfig } from '../config/config.ts'
import type { Migrations } from '../storage/migrations.ts'
import type { Administering } from './administering.ts'
import { addAdministrationVerbs } from './administration-verbs.ts'
import { type CopyParts, copyStore } from './copy.ts'
import { type DemoApplication, demo } from './demo.ts'
import { type DoctorParts, doctor } from './doctor.ts'
import { exitCodes } from './exit-codes.ts'
import { type ImportOptions, importFiles } from './import.ts'
import { type MigrateAction, migrate, migrateActions } from './migrate.ts'
import { type Serving, serve } from './serve.ts'
import type { Terminal } from './terminal.ts'
import type { Together } from './together.ts'
import { troubleOf } from './trouble.ts'
import { simpulVersion, version } from './version.ts'

/** Everything the verbs are given by main. */
export type ProgramParts = Omit<Serving, 'compose'> & {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly terminal: (json: boolean) => Terminal
  readonly clock: Clock
  readonly compose: (config: Config, purpose: 'serve' | 'demo' | 'import', together?: Together) => Promise<DemoApplication>
  readonly examineStore: DoctorParts['examineStore']
  readonly repairStore: DoctorParts['repairStore']
  readonly migrations: (config: Config) => Promise<Migrations>
  readonly composeCopy: (config: Config, from: string, to: string) => Promise<CopyParts & AsyncDisposable>
  readonly administer: (config: Config) => Promise<Administering>
}

type Json = { readonly json?: boolean }

/** Runs one verb; the answer is the exit code. */
export const runProgram = async (argv: readonly string[], parts: ProgramParts): Promise<number> => {
  let code: number = exitCodes.good
  const program = createProgram(parts, given => {
    code = given
  })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    if (isCommanderError(error)) return error.exitCode === 0 ? exitCodes.good : exitCodes.usage
    const trouble = troubleOf(error)
    parts.terminal(false).err(trouble.line)
    return trouble.code
  }
}

/** Usage, description and options of every verb: `docs/operate/cli.md` is made from it. */
export const commandsOf = (): {
  readonly usage: string
  readonly description: string
  readonly options: readonly (readonly [string, string])[]
}[] =>
  verbsOf(
    createProgram(undefined, () => undefined),
    'simpul',
  ).map(({ name, command }) => ({
    usage: `${name} ${command.usage()}`.trim(),
    description: command.description(),
    options: command.options.map(option => [`\`${option.flags}\``, option.description] as const),
  }))

/** Each with all words before it: `simpul user list`. */
const verbsOf = (parent: Command, before: string): readonly { readonly name: string; readonly command: Command }[] =>
  parent.commands.flatMap(command => {
    const name = `${before} ${command.name()}`
    return command.commands.length === 0 ? [{ name, command }] : verbsOf(command, name)
  })

/** The table of verbs. `parts` is absent where only the table is wanted. */
const createProgram = (given: ProgramParts | undefined, end: (code: number) => void): Command => {
  const parts = (): ProgramParts => given as ProgramParts
  const terminal = (options: Json): Terminal => parts().terminal(options.json === true)
  const run =
    <A extends unknown[]>(verb: (...args: A) => Promise<number> | number) =>
    async (...args: A): Promise<void> =>
      end(await verb(...args))
  const withConfig = async (options: Json, verb: (config: Config, terminal: Terminal) => Promise<number>): Promise<number> => {
    const read = readConfig(parts().environment)
    if (read.ok) return verb(read.config, terminal(options))
    for (const { name, rule } of read.problems) terminal(options).err(`${name} must be ${rule}.`)
    return exitCodes.configuration
  }

  const program = new Command('simpul')
    .description('FHIR R4 interoperability server for Indonesian healthcare')
    .version(simpulVersion())
    .exitOverride()
    .configureOutput({ writeOut: text => terminal({}).out(text.trimEnd()), writeErr: text => terminal({}).err(text.trimEnd()) })

  program
    .command('serve')
    .description('start the server')
    .action(
      run(() =>
        withConfig({}, (config, out) =>
          serve(config, { ...parts(), compose: (given, together) => parts().compose(given, 'serve', together) }, out),
        ),
      ),
    )

  program
    .command('demo')
    .description('guided tour on this machine: invented people, no sign-in unless asked for')
    .option('--auth', 'with sign-in: an account for each role, anew at each start')
    .action(
      run(({ auth = false }: { auth?: boolean }) =>
        withConfig({}, (config, out) => demo(config, { portWasAsked: Boolean(parts().environment.SIMPUL_PORT), auth }, parts(), out)),
      ),
    )

  program
    .command('import')
    .description('take in transaction Bundles and resources from .json and .ndjson files (also .gz) or folders of them')
    .argument('<paths...>', 'files and folders')
    .option('--parallel <n>', 'documents under way at once (default 4)', wholeNumber(1, 64), 4)
    .option('--resume <file>', 'remember progress here and go on from it; nothing is taken in twice')
    .option('--rejects <file>', 'name every refused document here, without its content')
    .option('--json', 'one JSON object a line')
    .action(
      run((paths: string[], options: Omit<ImportOptions, 'paths'> & Json) =>
        withConfig(options, (config, out) => importInto(parts(), config, { ...options, paths }, out)),
      ),
    )

  program
    .command('migrate')
    .description('tell what the schema of the store lacks, or bring it up; forward only, safe while several do it')
    .addArgument(new Argument('<action>', 'what to do').choices(migrateActions))
    .option('--json', 'one JSON object a line')
    .action(
      run((action: MigrateAction, options: Json) =>
        withConfig(options, (config, out) => migrate(() => parts().migrations(config), action, out)),
      ),
    )

  program
    .command('copy')
    .description('move a whole store to another one, of the same or another engine; run again, it goes on where it was')
    .requiredOption('--from <address>', 'store to read: sqlite:path or mongodb://…; it may be served', storeAddressText)
    .requiredOption('--to <address>', 'empty store, or the copy that this makes; nobody may be serving it', storeAddressText)
    .option('--json', 'one JSON object a line')
    .action(run((options: CopyOptions & Json) => withConfig(options, (config, out) => copyBetween(parts(), config, options, out))))

  addAdministrationVerbs(program, (options, verb) =>
    withConfig(options, (config, out) => verb(() => parts().administer(config), out)).then(end),
  )

  program
    .command('doctor')
    .description('examine configuration, disk, port and store')
    .option('--deep', 'compare every index entry with what was recorded (slow)')
    .option('--repair', 'write anew what the store can make from the rest and lost')
    .option('--config', 'show the effective configuration, secrets hidden')
    .option('--json', 'one JSON object a line')
    .action(
      run(({ deep = false, repair = false, config = false, ...options }: Json & { deep?: boolean; repair?: boolean; config?: boolean }) =>
        doctor({ ...parts(), config: readConfig(parts().environment), terminal: terminal(options) }, { deep, repair, showConfig: config }),
      ),
    )

  program
    .command('version')
    .description('versions of Simpul, FHIR, Node and SQLite')
    .option('--json', 'one JSON object a line')
    .action(run((options: Json) => version(terminal(options))))

  return program
}

const importInto = async (parts: ProgramParts, config: Config, options: ImportOptions, terminal: Terminal): Promise<number> => {
  await using application = await parts.compose(config, 'import')
  // Awaited here: the application must outlive the import.
  return await importFiles(
    { perform: application.perform, principal: application.source('import'), limits: config.limits, clock: parts.clock, terminal },
    options,
  )
}

type CopyOptions = { readonly from: string; readonly to: string }

const copyBetween = async (parts: ProgramParts, config: Config, { from, to }: CopyOptions, terminal: Terminal): Promise<number> => {
  await using stores = await parts.composeCopy(config, from, to)
  // Awaited here: the stores must outlive the copy.
  return await copyStore(stores, terminal, parts.clock)
}

const storeAddressText = (text: string): string => {
  if (/^(?:sqlite:.|mongodb(?:\+srv)?:\/\/.)/.test(text)) return text
  throw new InvalidArgumentError('An address is sqlite:{path} or mongodb://{hosts}/{database}.')
}

const wholeNumber =
  (min: number, max: number) =>
  (text: string): number => {
    if (/^\d+$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text)
    throw new InvalidArgumentError(`A whole number from ${min} to ${max}.`)
  }

const isCommanderError = (error: unknown): error is { exitCode: number } =>
  Error.isError(error) && 'code' in error && String(error.code).startsWith('commander.')
