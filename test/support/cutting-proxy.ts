import { connect, createServer, type Server, type Socket } from 'node:net'

/** When a connection is cut: as soon as a message names the command, before it is passed on; or once its answer is there, which is kept back. */
export type Cut = 'before' | 'after'

/**
 * A mongod behind a network that fails at will, on 127.0.0.1. The driver must connect to it directly (`directConnection=true`), or it would find the
 * way around.
 */
export class CuttingProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #cut: { readonly command: string; readonly cut: Cut; left: number } | undefined
  #away = false
  /** Told each time a cut was made. */
  onCut: () => void = () => undefined

  private constructor(port: number) {
    this.#server = createServer(client => this.#serve(client, port))
  }

  static async open(port: number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(port)
    await new Promise<void>(resolve => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  /** Cuts the connection of the next `times` messages that name the command. */
  cut(command: string, cut: Cut, times = 1): void {
    this.#cut = { command, cut, left: times }
  }

  /** Nobody gets through, and whoever was is cut. */
  goAway(): void {
    this.#away = true
    for (const socket of this.#sockets) socket.destroy()
  }

  comeBack(): void {
    this.#away = false
    this.#cut = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.goAway()
    await new Promise(resolve => this.#server.close(resolve))
  }

  #serve(client: Socket, port: number): void {
    if (this.#away) {
      client.destroy()
      return
    }
    const server = connect(port, '127.0.0.1')
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        client.destroy()
        server.destroy()
      })
    }
    let keepBack = false
    client.on('data', bytes => {
      const cut = this.#cut
      if (cut === undefined || cut.left === 0 || !bytes.includes(cut.command)) {
        server.write(bytes)
        return
      }
      cut.left--
      if (cut.cut === 'after') {
        keepBack = true
        server.write(bytes)
        return
      }
      this.onCut()
      client.destroy()
    })
    server.on('data', bytes => {
      if (!keepBack) client.write(bytes)
      else {
        this.onCut()
        client.destroy()
      }
    })
  }
}
