import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server'

/** A mail server that takes mails, or says what a test wants it to say. */
export type MailServer = AsyncDisposable & {
  readonly port: number
  readonly taken: readonly TakenMail[]
  /** Connections so far, and at most at once. */
  readonly connections: { now: number; most: number; all: number }
}

export type TakenMail = {
  readonly to: readonly string[]
  readonly from: string
  readonly text: string
  readonly secure: boolean
  readonly user?: string
}

/** What it says to a recipient, or to a whole mail; undefined: it takes it. */
export type Says = (address: string) => { readonly code: number; readonly text: string } | 'cut' | undefined

export type Behaviour = { readonly recipient?: Says; readonly mail?: Says; readonly options?: SMTPServerOptions }

export const startMailServer = async ({ recipient, mail, options }: Behaviour = {}): Promise<MailServer> => {
  const taken: TakenMail[] = []
  const connections = { now: 0, most: 0, all: 0 }
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    closeTimeout: 100,
    disableReverseLookup: true,
    onConnect: (_session, done) => {
      connections.now += 1
      connections.all += 1
      connections.most = Math.max(connections.most, connections.now)
      done()
    },
    onClose: () => {
      connections.now -= 1
    },
    onRcptTo: ({ address }, session, done) => answer(recipient?.(address), session, done),
    onData: (stream, session, done) => {
      let text = ''
      stream.on('data', (part: Buffer) => (text += String(part)))
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address)
        const said = mail?.(to[0] ?? '')
        if (said === undefined) taken.push(takenMail(session, to, text))
        answer(said, session, done)
      })
    },
    ...options,
  })
  server.on('error', () => undefined)
  const cut = (session: SMTPServerSession): void => {
    for (const one of server.connections) if ((one as unknown as { id: string }).id === session.id) one.close()
  }
  const answer = (said: ReturnType<Says>, session: SMTPServerSession, done: (error?: Error) => void): void => {
    if (said === undefined) return done()
    if (said === 'cut') return cut(session)
    done(Object.assign(new Error(said.text), { responseCode: said.code }))
  }
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const { port } = server.server.address() as AddressInfo
  return { port, taken, connections, [Symbol.asyncDispose]: () => new Promise(done => server.close(() => done())) }
}

const takenMail = (session: SMTPServerSession, to: readonly string[], text: string): TakenMail => ({
  to,
  from: session.envelope.mailFrom === false ? '' : session.envelope.mailFrom.address,
  text,
  secure: session.secure,
  ...(typeof session.user === 'string' ? { user: session.user } : {}),
})
