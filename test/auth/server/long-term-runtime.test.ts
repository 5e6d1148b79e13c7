import { spawnSync } from 'node:child_process'
import { expect, test } from '@jest/globals'

const module = new URL('../../../src/auth/server/authorization-server.ts', import.meta.url)

test('the library is loaded without a word on the runtime, and other warnings are said', () => {
  const script = `await import(${JSON.stringify(module.href)}); console.warn('oidc-provider WARNING: another one')`
  const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8', timeout: 60_000 })
  expect([status, stderr.trim()]).toEqual([0, 'oidc-provider WARNING: another one'])
}, 90_000)
