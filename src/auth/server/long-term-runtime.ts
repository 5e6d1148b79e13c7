/**
 * The library warns once, when it is loaded, where Node says that it is no line of long-term support; the line that this server asks for is none until it becomes one.
 * Import this before the library: that one sentence is left out, and every other warning is said.
 */
const unsupported = 'Unsupported runtime.'

if (process.release.lts === undefined) {
  const { warn } = console
  console.warn = (...said: unknown[]) => {
    if (typeof said[0] !== 'string' || !said[0].includes('oidc-provider') || !said[0].includes(unsupported))
      return warn.apply(console, said)
    console.warn = warn
  }
}
