import { errors, interactionPolicy, type KoaContextWithOIDC, type Provider } from 'oidc-provider'
import { renderScopes } from '../scopes/scope.ts'
import { factorAt } from '../sessions/session.ts'
import { needsConsent } from './asked-scopes.ts'
import { asksEmergency } from './emergency-step.ts'
import { makeGrant } from './make-grant.ts'
import { originOf } from './request-origin.ts'
import type { AuthorizationServerParts } from './server-parts.ts'
import { type Standing, standingOf, stepsOf } from './standing.ts'

const { Check, Prompt, base } = interactionPolicy

export const secondFactorAcr = 'urn:simpul:acr:2'

/** Sign in, choose a patient, an encounter, open an emergency, agree: in this order, each only where it is needed. @see auth.md 7.2 */
export const promptPolicy = (parts: AuthorizationServerParts): ReturnType<typeof base> => {
  const nextIs = (next: Standing['next']) => async (ctx: KoaContextWithOIDC) => (await standingOf(parts, ctx)).next === next
  const policy = base()
  policy.clear()
  const login = base().get('login')
  if (login === undefined) throw new Error('The library has no login prompt')
  login.checks.add(new Check('no_live_session', 'signing in is needed', 'login_required', nextIs('login')), 0)
  login.checks.add(new Check('other_user', 'the launch is of another user', 'login_required', nextIs('other-user')))
  login.checks.add(new Check('login_now', 'a login of now is needed', 'login_required', asksLoginNow))
  login.checks.add(new Check('second_factor', 'a second factor is needed', 'login_required', ctx => lacksFactor(parts, ctx)))
  const ofLibrary = login.details
  login.details = async ctx => ({ ...(await ofLibrary(ctx)), provedBefore: await lastProof(parts, ctx) })
  policy.add(login)
  policy.add(
    new Prompt(
      { name: 'select_patient' },
      new Check('no_patient', 'a patient has to be chosen', async ctx => {
        const { next } = await standingOf(parts, ctx)
        if (next === 'launch-over') throw new errors.InvalidRequest('the launch is not known, or was used')
        if (next === 'no-patient') throw new errors.AccessDenied('there is no patient that this user may open')
        return next === 'select_patient'
      }),
    ),
  )
  policy.add(
    new Prompt({ name: 'select_encounter' }, new Check('no_encounter', 'an encounter has to be chosen', nextIs('select_encounter'))),
  )
  policy.add(
    new Prompt({ name: 'emergency' }, new Check('purpose_btg', 'emergency access is to be opened', ctx => asksEmergency(parts, ctx))),
  )
  policy.add(
    new Prompt(
      { name: 'consent', requestable: true },
      new Check('no_agreement', 'somebody has to agree', ctx => lacksAgreement(parts, ctx)),
    ),
  )
  return policy
}

/** `max_age=0` is the same as `prompt=login`: by its seconds the library would take a login of a moment ago. @see OpenID Connect Core 3.1.2.1 */
const asksLoginNow = ({ oidc: { params, result } }: KoaContextWithOIDC): boolean =>
  Number(params?.max_age) === 0 && stepsOf(result).login === undefined

/** ms: what was proved until then was proved before this request asked. By the session where there is one, for nodes have clocks of their own. */
const lastProof = async (parts: AuthorizationServerParts, ctx: KoaContextWithOIDC): Promise<number> => {
  const { live } = await standingOf(parts, ctx)
  return live === undefined ? parts.ground.clock() - 1 : Math.max(...live.session.value.amr.map(({ at }) => at))
}

/** An application asks for a second factor, perhaps one of the last `max_age` seconds. Asked once: an account may have none. */
const lacksFactor = async (parts: AuthorizationServerParts, ctx: KoaContextWithOIDC): Promise<boolean> => {
  const { acr_values: wanted, max_age: maxAge } = ctx.oidc.params ?? {}
  if (typeof wanted !== 'string' || !wanted.split(' ').includes(secondFactorAcr) || stepsOf(ctx.oidc.result).login !== undefined)
    return false
  const { live } = await standingOf(parts, ctx)
  const at = live === undefined ? undefined : factorAt(live.session.value.amr)
  return at === undefined || (maxAge !== undefined && parts.ground.clock() - at > Number(maxAge) * 1000)
}

/** Where nobody needs to agree the grant is made here, narrowed to what the roles can use. With a patient that takes somebody at the screen. */
const lacksAgreement = async (parts: AuthorizationServerParts, ctx: KoaContextWithOIDC): Promise<boolean> => {
  const { oidc } = ctx
  const standing = await standingOf(parts, ctx)
  const { live, client, scopes } = standing
  if (standing.next !== 'agree' || live === undefined) return true
  if (stepsOf(oidc.result).consent?.grantId !== undefined) {
    if (oidc.grant?.jti === undefined) throw new errors.AccessDenied('the agreement is over')
    return false
  }
  if (scopes.length === 0) throw new errors.InvalidScope('none of the requested scopes can be granted', '')
  const silent = oidc.prompts.has('none')
  if (oidc.promptPending('consent') || needsConsent(client, live.account.value, scopes) || (silent && standing.patient !== undefined))
    return true
  const { params = {}, session, provider } = oidc
  const from = originOf(ctx.req)
  const granted = await makeGrant(parts, provider, { standing: { ...standing, live }, scopes, params, from }, oidc.grant as Granted)
  if (granted === undefined) throw new errors.InvalidRequest('the launch is not known, or was used')
  const scope = renderScopes(scopes)
  params.scope = scope
  const resource = oidc.resourceServers?.[parts.address.fhir]
  if (resource !== undefined) resource.scope = scope
  session?.ensureClientContainer(client.id)
  session?.grantIdFor(client.id, granted.jti)
  return false
}

type Granted = InstanceType<Provider['Grant']>
