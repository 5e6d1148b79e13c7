import { fail, type Outcome, ok } from '../../base/outcome.ts'
import type { Resource } from '../../fhir/model/resource.ts'
import type { Written } from '../relations/written.ts'
import { compiledRows, rowsMax } from './consent-relations.ts'
import { isActivePrivacyConsent, readConsent } from './read-consent.ts'

/**
 * An active privacy Consent is stored only when it can be enforced to the letter. Fails `consent-not-enforceable` and `consent-incomplete`, naming the
 * element; every other resource passes. @see auth.md 12.2
 */
export const checkConsent = (resource: Resource, written: Pick<Written, 'zone'> = {}): Outcome<undefined> => {
  if (!isActivePrivacyConsent(resource)) return ok(undefined)
  const read = readConsent(resource, written)
  if (read.ok) {
    return compiledRows(read.rules).length <= rowsMax ? ok(undefined) : refused('Consent.provision', false)
  }
  const [first = { element: 'Consent', missing: false }, ...others] = read.faults
  const failed = refused(first.element, first.missing)
  const more = others.map(({ element, missing }) => refused(element, missing).failure)
  return more.length === 0 ? failed : { ok: false, failure: { ...failed.failure, more } }
}

const refused = (element: string, missing: boolean): Extract<Outcome<never>, { ok: false }> =>
  fail(missing ? 'consent-incomplete' : 'consent-not-enforceable', { element }, { expression: [element.replace('[x]', '')] })
