import { encode } from 'uqr'
import type { Enrolment } from '../factors/factor-set.ts'
import { button, field, form, hidden } from './form-parts.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import type { Visit } from './visit.ts'

/** An authenticator app is set up: QR code, the key as text, and the first code. After a wrong one the code is not shown again: the app has it. */
export const enrolmentPage = (
  visit: Visit,
  asked: { readonly action: string; readonly next: string; readonly enrolment?: Enrolment; readonly failed?: boolean },
): Html => {
  const { say } = visit
  const { action, next, enrolment, failed = false } = asked
  const here = `${action}?next=${encodeURIComponent(next)}`
  return layout(visit, {
    title: say('mfa.enrolTitle'),
    failed,
    here,
    body: html`
      <div class="card code">
        <h1>${say('mfa.enrolTitle')}</h1>
        ${enrolment !== undefined && html`<p class="lead">${say('mfa.enrol')}</p>${qrCode(enrolment.uri, say('mfa.qr'))}<p class="small">${say('mfa.secret')} <span class="secret">${inFours(enrolment.secret)}</span></p>`}
        ${form(visit, action, [
          hidden('next', next),
          field({
            name: 'code',
            label: say('mfa.first'),
            hint: say('mfa.hint'),
            autocomplete: 'one-time-code',
            inputmode: 'numeric',
            maxlength: 32,
            ...(failed ? { error: say('mfa.firstFailed') } : {}),
          }),
          button(say('mfa.finish')),
        ])}
        ${enrolment === undefined && html`<p class="beside"><a href="${here}">${say('mfa.newQr')}</a></p>`}
      </div>`,
  })
}

/** One path of squares; a quiet zone of four modules, as readers expect. */
const qrCode = (text: string, name: string): Html => {
  const { data, size } = encode(text, { ecc: 'M', border: 4 })
  const squares = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join('')
  return html`<svg class="qr" viewBox="0 0 ${size} ${size}" role="img" aria-label="${name}" shape-rendering="crispEdges"><path d="${squares}"></path></svg>`
}

const inFours = (secret: string): string => secret.replace(/(.{4})(?=.)/g, '$1 ')
