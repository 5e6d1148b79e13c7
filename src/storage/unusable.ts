/**
 * Why a store cannot be used as things stand. The message is a whole sentence for the operator and names what mends it; it never holds a password.
 * `configuration`: the address is wrong; `access`: who we are is not let in; `unreachable`: nobody answers; `refused`: it answers, but is not in a state to be used.
 */
export class StoreUnusable extends Error {
  readonly why: 'configuration' | 'access' | 'unreachable' | 'refused'

  constructor(why: StoreUnusable['why'], message: string) {
    super(message)
    this.name = 'StoreUnusable'
    this.why = why
  }
}
