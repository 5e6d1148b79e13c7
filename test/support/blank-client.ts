import type { Client } from '../../src/auth/clients/client.ts'

/** A client that may do nothing yet; tests say what they care for. */
export const blankClient: Client = {
  id: 'app-0001',
  name: 'Growth Chart',
  type: 'public',
  applicationType: 'web',
  redirectUris: [],
  launchUris: [],
  allowedOrigins: [],
  scopesAllowed: [],
  granularParams: [],
  jkuAllowed: [],
  secrets: [],
  grants: [],
  appStateSystems: [],
  trust: 'approved',
  offline: true,
  ipAllow: [],
  rateClass: 'interactive',
  contacts: [],
  purpose: [],
  status: 'active',
  createdAt: 0,
  createdBy: 'cli',
  approvals: [],
}
