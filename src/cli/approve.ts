import { type Approval, approve, pendingApprovals, refuse } from '../auth/admin/approvals.ts'
import { host } from '../auth/second-person.ts'
import { type Administering, atHost, failed, type Open } from './administering.ts'
import { exitCodes } from './exit-codes.ts'
import { report, type Terminal } from './terminal.ts'

/** `simpul approve [id]`: the host as the second person, while fewer than two accounts could be; without an id, what waits. @see auth.md 4.3 */
export const approveAtHost = async (
  open: Open,
  id: string | undefined,
  { refuse: refused = false }: { readonly refuse?: boolean },
  terminal: Terminal,
): Promise<number> => {
  await using parts = await open()
  // Awaited here: the store must outlive it.
  if (id === undefined) return await listed(parts, terminal)
  const done = await (refused ? refuse : approve)(parts, id, host, atHost)
  if (!done.ok) return failed(terminal, done.failure)
  report(terminal, { approval: id, is: refused ? 'refused' : 'approved' }, refused ? 'Refused.' : 'Approved.')
  return exitCodes.good
}

const shownMost = 1_000

const listed = async (parts: Administering, terminal: Terminal): Promise<number> => {
  const { approvals } = await pendingApprovals(parts, shownMost)
  for (const approval of approvals) report(terminal, { ...approval }, lineOf(approval))
  if (approvals.length === 0) terminal.err('Nothing waits for a second person.')
  return exitCodes.good
}

const lineOf = ({ id, askedBy, expires, what }: Approval): string =>
  [
    id,
    what.kind.padEnd(17),
    what.kind === 'roles' ? what.account : what.client,
    `asked by ${askedBy}`,
    `until ${new Date(expires).toISOString()}`,
  ].join('  ')
