import { type Account, accountRecords, type RoleAssignment } from '../auth/accounts/account.ts'
import { acceptInvitation, invite } from '../auth/accounts/invitation.ts'
import { host } from '../auth/second-person.ts'
import { fail, type Outcome, ok } from '../base/outcome.ts'
import { type Administering, atHost, failed, type Open } from './administering.ts'
import { exitCodes } from './exit-codes.ts'
import { report, type Terminal } from './terminal.ts'

/** Roles that get an account for trials, and who the account is: people of the demo. */
const people: readonly (readonly [role: string, fhirUser?: string])[] = [
  ['admin'],
  ['doctor', 'Practitioner/demo-doctor'],
  ['nurse', 'Practitioner/demo-nurse'],
  ['pharmacist', 'Practitioner/demo-pharmacist'],
  ['receptionist', 'Practitioner/demo-receptionist'],
  ['lab', 'Practitioner/demo-lab'],
  ['radiology', 'Practitioner/demo-radiology'],
  ['billing', 'Practitioner/demo-billing'],
  ['auditor', 'Practitioner/demo-auditor'],
  ['patient', 'Patient/pasien-001'],
]

/**
 * `simpul dev seed`: an account for each role, `demo-doctor` and so on, with a password made now and shown once. Refuses where others could reach them: the public
 * address must lead to this machine, and the installation be none of production. @see auth.md 2.1
 */
export const devSeed = async (open: Open, terminal: Terminal): Promise<number> => {
  await using parts = await open()
  if (!parts.forTrials) {
    terminal.err('Accounts for trials are made only where SIMPUL_BASE_URL leads to this machine and SIMPUL_ENVIRONMENT is not production.')
    return exitCodes.refused
  }
  for (const [role, fhirUser] of people) {
    const made = await seeded(parts, role, fhirUser)
    if (!made.ok) return failed(terminal, made.failure)
    const { username, password } = made.value
    report(
      terminal,
      { username, role, ...(password === undefined ? { is: 'there' } : { password }) },
      `${username.padEnd(20)}  ${password ?? 'is there already'}`,
    )
  }
  terminal.err('For trials on this machine only. The passwords are shown this once.')
  return exitCodes.good
}

/** Now and then chance makes one that the rules of passwords refuse. */
const passwordsTried = 20

const seeded = async (
  { accounts, ground }: Administering,
  role: string,
  fhirUser: string | undefined,
): Promise<Outcome<{ readonly username: string; readonly password?: string }>> => {
  const username = `demo-${role}`
  const there = await ground.store.records<Account>(accountRecords).range('username', { from: [username], to: [username], limit: 1 })
  if (there.rows.length > 0) return ok({ username })
  const roles: readonly RoleAssignment[] = [{ role, givenBy: host }]
  const wanted = {
    username,
    email: `${username}@demo.example`,
    locale: 'id' as const,
    roles,
    ...(fhirUser === undefined ? {} : { fhirUser }),
  }
  const invited = await invite(ground, wanted, host, atHost)
  if (!invited.ok) return invited
  if (invited.value.is !== 'invited') return fail('write-conflict', {})
  for (let tried = 0; tried < passwordsTried; tried++) {
    const password = ground.random(15).toString('base64url')
    const accepted = await acceptInvitation(accounts, invited.value.secret, { password }, atHost)
    if (!accepted.ok) return accepted
    if (accepted.value.is === 'accepted') return ok({ username, password })
  }
  return fail('write-conflict', {})
}
