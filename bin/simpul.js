#!/usr/bin/env node
// Plain JavaScript on purpose: it must run, and explain itself, under a Node that cannot run the server.
import module from 'node:module'

const major = Number(process.versions.node.split('.')[0])
if (major < 26) {
  process.stderr.write(
    `Simpul needs Node 26; this is ${process.version}.\n` +
      'Run it through npm (npm start, npm run demo, npx simpul), which uses the Node that "npm ci" installed.\n' +
      'If that one is missing: npm rebuild node --ignore-scripts=false\n',
  )
  process.exit(78)
}
// Keeps the stripped and compiled text of every module: later starts skip that work, the first one too (npm's postinstall runs this once).
const compiled = new URL('../node_modules/.cache/simpul/compiled', import.meta.url).pathname
module.enableCompileCache(compiled)
// Threads, such as the one that writes to SQLite, and workers hear of it by this alone.
process.env.NODE_COMPILE_CACHE ??= compiled
const { main } = await import('../src/main.ts')
await main(process.argv.slice(2))
