import { isVerified } from '../clients/client.ts'
import type { DeviceShown, RenderDevice } from '../server/server-parts.ts'
import { sendPage } from './answers.ts'
import { sendError } from './error-page.ts'
import { button, field, form, hidden } from './form-parts.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { makerWords } from './maker-words.ts'
import type { TextKey } from './texts.ts'
import { newVisit, type Visit, type VisitParts } from './visit.ts'

const path = '/oauth/device/verify'
const codeCharactersMax = 40

/** Where somebody types the code that a device shows, and sees whom he lets in. What follows is as for any application. @see auth.md 7.7, RFC 8628 3.3, 5.4 */
export const createDevicePages =
  (parts: VisitParts): RenderDevice =>
  async (req, res, shown, from) => {
    const visit = await newVisit(parts, req, res, from)
    if (shown.is === 'problem') return sendError(visit, shown.problem)
    sendPage(visit, pageOf(visit, shown), shown.is === 'code' && shown.wrong !== undefined ? 422 : 200)
  }

type Shown<I extends DeviceShown['is']> = Extract<DeviceShown, { readonly is: I }>

const pageOf = (visit: Visit, shown: Exclude<DeviceShown, Shown<'problem'>>): Html => {
  if (shown.is === 'code') return codePage(visit, shown)
  if (shown.is === 'confirm') return confirmPage(visit, shown)
  return endPage(visit, endWords[shown.is])
}

const codePage = (visit: Visit, { xsrf, typed, wrong }: Shown<'code'>): Html => {
  const { say } = visit
  return layout(visit, {
    title: say('device.title'),
    failed: wrong !== undefined,
    here: typed === undefined ? path : `${path}?user_code=${encodeURIComponent(typed.slice(0, codeCharactersMax))}`,
    body: html`
      <div class="card">
        <h1>${say('device.title')}</h1>
        <p class="lead">${say('device.hint')}</p>
        ${form(visit, path, [
          hidden('xsrf', xsrf),
          field({
            name: 'user_code',
            label: say('device.code'),
            autocomplete: 'off',
            maxlength: codeCharactersMax,
            focus: true,
            ...(typed === undefined ? {} : { value: typed.slice(0, codeCharactersMax) }),
            ...(wrong === undefined ? {} : { error: say(wrongWords[wrong]) }),
          }),
          button(say('page.continue')),
        ])}
      </div>`,
  })
}

const confirmPage = (visit: Visit, { xsrf, code, client }: Shown<'confirm'>): Html => {
  const { say } = visit
  const { name, publisher } = client
  const title = say('device.confirmTitle', { app: name })
  return layout(visit, {
    title,
    here: path,
    body: html`
      <div class="card">
        <h1>${title}</h1>
        <p class="lead">${makerWords(visit, { ...(publisher === undefined ? {} : { publisher }), verified: isVerified(client) })}</p>
        <p>${say('device.confirmHint')}</p>
        <ul class="codes"><li>${code}</li></ul>
        <div class="buttons">
          ${form(visit, path, [hidden('xsrf', xsrf), hidden('user_code', code), hidden('confirm', 'yes'), button(say('device.confirm'))], 'inline')}
          ${form(visit, path, [hidden('xsrf', xsrf), hidden('user_code', code), hidden('abort', 'yes'), button(say('device.abort'), 'second')], 'inline')}
        </div>
      </div>`,
  })
}

type Wrong = NonNullable<Shown<'code'>['wrong']>

const wrongWords = {
  missing: 'device.missing',
  unknown: 'device.unknown',
  expired: 'device.expired',
  used: 'device.used',
} as const satisfies Record<Wrong, TextKey>

const endWords = {
  done: { title: 'device.doneTitle', words: 'device.done' },
  refused: { title: 'device.refusedTitle', words: 'device.refused' },
} as const satisfies Record<'done' | 'refused', Readonly<Record<'title' | 'words', TextKey>>>

type End = (typeof endWords)[keyof typeof endWords]

const endPage = (visit: Visit, { title, words }: End): Html => {
  const { say } = visit
  const body = html`<div class="card"><h1>${say(title)}</h1><p class="lead">${say(words)}</p></div>`
  return layout(visit, { title: say(title), here: '/account', body })
}
