import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { Argument, type Command, Option } from 'commander'
import type { KeyPurpose } from '../auth/keys/keyring.ts'
import type { Open } from './administering.ts'
import { approveAtHost } from './approve.ts'
import { activateClientById, createClient, listClientsOf, makeSecret, showClient, suspendClientById } from './client.ts'
import { devSeed } from './dev-seed.ts'
import { listEmergencies, postponeAtHost, reviewAtHost, toldAtHost } from './emergencies.ts'
import { dataPurposes, keysStatus, rotateData, rotateKek, rotateSigningKey } from './keys.ts'
import { activateProviderById, addProviderOf, listProvidersOf, showProvider, suspendProviderById } from './provider.ts'
import type { Terminal } from './terminal.ts'
import { changeRoles, changeUser, inviteAdministrator, listUsers, type UserAction, userStatuses } from './user.ts'

type Json = { readonly json?: boolean }

/** Runs one verb on the store of the configuration. */
type Run = (options: Json, verb: (open: Open, terminal: Terminal) => Promise<number>) => Promise<void>

/** People, applications and keys, administered from the host. They work while a server uses the store; it hears of it at once over Redis, else within 5 seconds. */
export const addAdministrationVerbs = (program: Command, run: Run): void => {
  const group = (name: string, description: string): Command => program.command(name).description(description)
  const verb = (parent: Command, words: string, description: string): Command =>
    parent.command(words).description(description).option('--json', 'one JSON object a line')

  const admin = group('admin', 'administrators')
  verb(admin, 'invite', 'a link by which somebody makes an account of an administrator; once, within 30 minutes')
    .argument('<e-mail>', 'address of the one who is invited')
    .action((email: string, options: Json) => run(options, (open, out) => inviteAdministrator(open, email, out)))

  const user = group('user', 'people who may sign in')
  verb(user, 'list', 'accounts with their roles')
    .addOption(new Option('--status <status>', 'only those').choices(userStatuses))
    .action((options: Json & { status?: (typeof userStatuses)[number] }) =>
      run(options, (open, out) => listUsers(open, options.status, out)),
    )
  for (const [action, description] of userActions) {
    const command = verb(user, action, description).argument('<user>', 'id, user name or e-mail address')
    if (action === 'disable') command.option('--reason <words>', 'kept with the account')
    command.action((who: string, options: Json & { reason?: string }) =>
      run(options, (open, out) => changeUser(open, action, who, options, out)),
    )
  }
  verb(user, 'roles', 'show roles, or ask for others in their place: a second person approves them')
    .argument('<user>', 'id, user name or e-mail address')
    .argument('[roles...]', 'each role, or role@Organization/id')
    .action((who: string, roles: string[], options: Json) => run(options, (open, out) => changeRoles(open, who, roles, out)))

  const client = group('client', 'applications and services')
  verb(client, 'create', 'register what a JSON document says; shows the secret of one that has a secret, this once')
    .argument('<file>', 'the document, - for standard input')
    .action((file: string, options: Json) => run(options, (open, out) => createClient(open, () => contentOf(file), out)))
  verb(client, 'list', 'all of them').action((options: Json) => run(options, (open, out) => listClientsOf(open, out)))
  for (const [name, description, action] of clientActions)
    verb(client, name, description)
      .argument('<id>', 'client_id')
      .action((id: string, options: Json) => run(options, (open, out) => action(open, id, out)))

  const provider = group('provider', 'outside identity providers, by which people sign in')
  verb(provider, 'add', 'register what a JSON document says; a second person lets it in')
    .argument('<file>', 'the document, - for standard input')
    .action((file: string, options: Json) => run(options, (open, out) => addProviderOf(open, () => contentOf(file), out)))
  verb(provider, 'list', 'all of them').action((options: Json) => run(options, (open, out) => listProvidersOf(open, out)))
  for (const [name, description, action] of providerActions)
    verb(provider, name, description)
      .argument('<id>', 'the one of its document')
      .action((id: string, options: Json) => run(options, (open, out) => action(open, id, out)))

  const keys = group('keys', 'what encrypts, hashes and signs')
  verb(keys, 'status', 'signing keys of id tokens, and data keys').action((options: Json) =>
    run(options, (open, out) => keysStatus(open, out)),
  )
  verb(keys, 'rotate', 'announce the next signing key of id tokens; it signs a day later')
    .option('--compromised', 'it signs at once, and all others are gone at once')
    .action((options: Json & { compromised?: boolean }) => run(options, (open, out) => rotateSigningKey(open, options, out)))
  verb(keys, 'rotate-kek', 'wrap all data keys with another key encryption key')
    .option('--to <file>', 'file of the next one; without, one that the first start made is replaced')
    .action((options: Json & { to?: string }) => run(options, (open, out) => rotateKek(open, options, out)))
  verb(keys, 'rotate-data', 'make a new data key; what is encrypted with the one before is encrypted anew')
    .addArgument(new Argument('<purpose>', 'which one').choices(dataPurposes))
    .action((purpose: KeyPurpose, options: Json) => run(options, (open, out) => rotateData(open, purpose, out)))

  verb(program, 'approve', 'be the second person for what waits, while fewer than two accounts could be; without an id, show what waits')
    .argument('[id]', 'what waits')
    .option('--refuse', 'it shall not be')
    .action((id: string | undefined, options: Json & { refuse?: boolean }) =>
      run(options, (open, out) => approveAtHost(open, id, options, out)),
    )

  const emergencies = group('emergencies', 'emergency access: what was opened, who looks at it, whether the patient knows')
  verb(emergencies, 'list', 'those that nobody has judged')
    .option('--notices', 'those of which the patient does not know yet')
    .action((options: Json & { notices?: boolean }) => run(options, (open, out) => listEmergencies(open, options, out)))
  verb(emergencies, 'review', 'say whether it was justified; where no account but the one that opened it may')
    .argument('<id>', 'number of the emergency access')
    .addArgument(new Argument('<judgement>', 'what it was').choices(['justified', 'unjustified']))
    .action((id: string, judgement: 'justified' | 'unjustified', options: Json) =>
      run(options, (open, out) => reviewAtHost(open, id, judgement, out)),
    )
  verb(emergencies, 'postpone', 'tell the patient later, at most 30 days from now; where no account may')
    .argument('<id>', 'number of the emergency access')
    .argument('<until>', 'such as 2027-01-31')
    .argument('<reason>', 'kept with it, 20 characters or more')
    .action((id: string, until: string, reason: string, options: Json) =>
      run(options, (open, out) => postponeAtHost(open, id, until, reason, out)),
    )
  verb(emergencies, 'told', 'note that somebody told the patient; where no account may')
    .argument('<id>', 'number of the emergency access')
    .action((id: string, options: Json) => run(options, (open, out) => toldAtHost(open, id, out)))

  const dev = group('dev', 'for trials on this machine')
  verb(dev, 'seed', 'an account for each role, demo-doctor and so on; never in production').action((options: Json) =>
    run(options, (open, out) => devSeed(open, out)),
  )
}

const userActions: readonly (readonly [UserAction, string])[] = [
  ['disable', 'let somebody in no more, and end all that they have open'],
  ['enable', 'let them in again'],
  ['unlock', 'lift a lock before its time'],
  ['reset-factor', 'the phone is lost: the next login sets up another one'],
]

const clientActions = [
  ['show', 'what is registered, and what went wrong of late', showClient],
  ['secret', 'make a new secret, shown this once; the one before goes on for 30 days at most', makeSecret],
  ['suspend', 'stop all its tokens at once', suspendClientById],
  ['activate', 'let it ask for tokens; what reaches data without a user waits for a second person', activateClientById],
] as const

const providerActions = [
  ['show', 'what is registered here, and what has to be registered there', showProvider],
  ['activate', 'let people sign in by it, or let its change count; while fewer than two accounts could', activateProviderById],
  ['suspend', 'let nobody in by it any more, and end all sessions that it began', suspendProviderById],
] as const

const contentOf = (file: string): Promise<string> => (file === '-' ? text(process.stdin) : readFile(file, 'utf8'))
