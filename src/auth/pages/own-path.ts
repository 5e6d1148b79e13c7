const pathMax = 512

/**
 * Where a browser may be sent on: a page of sign-in or of the account, or where codes of devices are typed, and nothing else. What is no such path becomes the account's home.
 * @see auth.md 17, T10
 */
export const ownPath = (text: string | undefined): string =>
  text !== undefined && text.length <= pathMax && pattern.test(text) ? text : '/account'

/** Segments of plain characters, so that neither `//host` nor `/\host` nor `..` can be written. */
const pattern =
  /^\/(?:(?:account|login)(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*|oauth\/device\/verify)(?:\?(?:[A-Za-z0-9_=&.-]|%[0-9A-F]{2})*)?$/
