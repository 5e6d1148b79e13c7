import { existsSync, writeFileSync } from 'node:fs'
import { generateKeyPairSync } from 'node:crypto'
import { test } from '@jest/globals'
import { exportJWK } from 'jose'
import { testEngines, sqliteEngine } from '../support/engines.ts'
import { openClinic } from './clinic.ts'

const want = process.env.HOLD_ENGINE ?? 'none'
const held = process.env.HOLD_ENGINE ? test : test.skip
held(
  'hold',
  async () => {
    const engine = testEngines.find(e => e.name.toLowerCase().includes(want)) ?? sqliteEngine
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const jwk = { ...(await exportJWK(rsa.publicKey)), kid: 'k1', alg: 'RS384', use: 'sig' }
    const scopes = 'openid fhirUser profile offline_access online_access launch/patient patient/*.rs user/*.rs'.split(' ')
    await using clinic = await openClinic(
      engine,
      app => {
        const known = { development: true, redirectUris: [`${app}/callback`], offline: true, scopesAllowed: scopes, allowedOrigins: [app] }
        return {
          public: { ...known, name: 'Grafik <script>alert(1)</script>', type: 'public' },
          public2: { ...known, name: 'Grafik dua', type: 'public' },
          secret: { ...known, name: 'Rahasia', type: 'symmetric' },
          secret2: { ...known, name: 'Rahasia dua', type: 'symmetric' },
          keys: { ...known, name: 'Kunci', type: 'asymmetric', jwks: { keys: [jwk] } },
          backend: {
            type: 'backend',
            development: true,
            name: 'Layanan',
            scopesAllowed: ['system/Observation.rs', 'system/Patient.rs'],
            grants: [{ clause: 'Observation,Patient rs', reach: 'any' }],
            jwks: { keys: [jwk] },
          },
          gerbang: { name: 'Gerbang', type: 'resource-server' },
        }
      },
      { SIMPUL_TRUST_PROXY: '127.0.0.1', ...JSON.parse(process.env.HOLD_ENV ?? '{}') },
    )
    const names = ['public', 'public2', 'secret', 'secret2', 'keys', 'backend', 'gerbang']
    writeFileSync(
      `/tmp/st/info-${want}.json`,
      JSON.stringify({
        base: clinic.base,
        app: clinic.app,
        doctor: clinic.doctor,
        patient: clinic.patient,
        clients: Object.fromEntries(names.map(n => [n, clinic.client(n)])),
        pem: rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }),
        pub: rsa.publicKey.export({ type: 'spki', format: 'pem' }),
      }),
    )
    while (existsSync(`/tmp/st/info-${want}.json`)) {
      await new Promise(r => setTimeout(r, 500))
      writeFileSync(`/tmp/st/said-${want}.txt`, clinic.said())
    }
  },
  3_000_000,
)
