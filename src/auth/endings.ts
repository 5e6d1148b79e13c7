import type { Fact, FactKind } from './facts.ts'

/** What nodes tell each other, by the topics of wake-ups: what they remember is old. @see auth.md 3, 8 */
export type EndingTopic = 'tokens' | 'clients' | 'keys'

/** Facts after which every token stands for the same as before. Of any other something may have ended: in doubt it is told. */
const harmless: ReadonlySet<FactKind> = new Set([
  'login',
  'login-failed',
  'login-continued',
  'locked',
  'spraying',
  'unlocked',
  'step-up-failed',
  'account-invited',
  'link-sent',
  'reset-asked',
  'grant-given',
  'registration-token-made',
  'provider-added',
  'registration-token-removed',
  'approval-asked',
  'approval-refused',
  'emergency-reviewed',
  'emergency-unjustified',
  'emergency-words-read',
  'patient-told',
  'logout-told',
  'logout-not-told',
  'patient-notice-postponed',
  'access-explained',
  'access-reviewed',
])

/** The topics that facts are news of. */
export const endingTopics = (facts: readonly Fact[]): readonly EndingTopic[] => {
  const told = facts.filter(({ what }) => !harmless.has(what))
  if (told.length === 0) return []
  const about = (word: string): boolean => told.some(({ what }) => what.startsWith(word))
  return [
    ...(about('client-') || about('provider-') ? (['clients'] as const) : []),
    ...(about('signing-key-') ? (['keys'] as const) : []),
    'tokens',
  ]
}
