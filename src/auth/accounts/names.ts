/** User names are for people of one house, and are read aloud: small letters, digits, and . _ - between them. */
const usernamePattern = /^[a-z0-9](?:[a-z0-9._-]{1,62})[a-z0-9]$/
const emailPattern = /^[^\s@"<>()\\,;:]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}$/
const namedLengthMax = 254

/** A name as it is compared: `Siti.Aminah ` and `siti.aminah` are one. */
export const foldName = (text: string): string =>
  text
    .slice(0, 4 * namedLengthMax)
    .normalize('NFKC')
    .trim()
    .toLowerCase()

/** Undefined for what cannot be a user name. Whatever holds an @ is an e-mail address. */
export const readUsername = (text: string): string | undefined => matching(usernamePattern, foldName(text))
export const readEmail = (text: string): string | undefined => matching(emailPattern, foldName(text))

const matching = (pattern: RegExp, text: string): string | undefined =>
  text.length <= namedLengthMax && pattern.test(text) ? text : undefined
