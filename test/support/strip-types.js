import { stripTypeScriptTypes } from 'node:module'

/** Jest transform: what Node does when it runs TypeScript, so tests run the same text as the server. */
export default { process: text => ({ code: stripTypeScriptTypes(text, { mode: 'strip' }) }) }
