import type { RecordDefinition } from '../storage/port.ts'
import { accountRecords } from './accounts/account.ts'
import { linkRecords } from './accounts/links.ts'
import { approvalRecords } from './admin/approvals.ts'
import { clientRecords } from './clients/client.ts'
import { clientHealthRecords } from './clients/client-health.ts'
import { registrationTokenRecords } from './clients/registration-tokens.ts'
import { emergencyRecords } from './emergencies/emergency.ts'
import { factorRecords } from './factors/factor-set.ts'
import { federationStepRecords } from './federation/federation-step.ts'
import { logoutTokenRecords } from './federation/logout-token.ts'
import { providerRecords } from './federation/provider.ts'
import { linkedRecords } from './federation/provider-link.ts'
import { grantRecords } from './grants/grant-context.ts'
import { installationRecords } from './installation.ts'
import { keyringRecords } from './keys/keyring.ts'
import { signingKeyRecords } from './keys/signing-keys.ts'
import { leaseRecords } from './leases.ts'
import { attemptRecords } from './lockout/attempts.ts'
import { stepRecords } from './login-steps.ts'
import { mailRecords } from './pages/mails/outbox.ts'
import { libraryRecords } from './server/library-rows.ts'
import { deviceRecords } from './sessions/device-cookies.ts'
import { loginEventRecords } from './sessions/login-history.ts'
import { logoutNoticeRecords } from './sessions/logout-notice.ts'
import { sessionRecords } from './sessions/session.ts'
import { launchRecords } from './smart/launch-record.ts'

/** All that accounts keep in the store. @see auth.md annex B */
export const accountStoreRecords: readonly RecordDefinition[] = [
  installationRecords,
  leaseRecords,
  keyringRecords,
  accountRecords,
  factorRecords,
  linkRecords,
  sessionRecords,
  stepRecords,
  attemptRecords,
  deviceRecords,
  loginEventRecords,
  mailRecords,
  grantRecords,
  libraryRecords,
  launchRecords,
  signingKeyRecords,
  clientRecords,
  clientHealthRecords,
  approvalRecords,
  registrationTokenRecords,
  emergencyRecords,
  providerRecords,
  linkedRecords,
  federationStepRecords,
  logoutTokenRecords,
  logoutNoticeRecords,
]
