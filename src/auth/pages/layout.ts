import { assetPaths } from './assets.ts'
import { form, hidden } from './form-parts.ts'
import { type Fragment, type Html, html } from './html.ts'
import { type Language, languages } from './languages.ts'
import { ownPath } from './own-path.ts'
import type { Visit } from './visit.ts'

/** How wide a page's content is: one form, a list to choose from, or the account. */
export type Width = 'form' | 'list' | 'account'

export type PageContent = {
  readonly title: string
  readonly width?: Width
  /** The title says so first, which is what a screen reader reads first. */
  readonly failed?: boolean
  /** Where the language switch comes back to; the page's own path unless said otherwise. */
  readonly here?: string
  readonly body: Fragment
}

/** A whole page. */
export const layout = (visit: Visit, { title, width = 'form', failed = false, here, body }: PageContent): Html => {
  const { say, language, parts } = visit
  const { facility } = parts.accounts.rules
  const inAccount = width === 'account' && visit.live !== undefined
  return html`
    <!doctype html>
    <html lang="${language}">
    <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta name="robots" content="noindex, nofollow">
      <title>${failed && `${say('page.error')}: `}${title} · ${facility}</title>
      <link rel="icon" href="${assetPaths.mark}" type="image/svg+xml">
      <link rel="stylesheet" href="${assetPaths.css}">
      <script src="${assetPaths.js}" defer></script>
    </head>
    <body class="${width}">
      <a class="skip" href="#main">${say('page.skip')}</a>
      ${visit.banner}
      <header class="top">
        <p class="facility"><img src="${assetPaths.mark}" alt="" width="36" height="36"><span>${facility}</span></p>
        ${inAccount && accountMenu(visit)}
        ${languageSwitch(visit, here ?? visit.path)}
      </header>
      <main id="main" tabindex="-1">${body}</main>
      <footer><p>${say('page.privacy')}</p>${visit.live !== undefined && html`<p>${say('idle.note', { minutes: parts.accounts.rules.idleMinutes })}</p>`}</footer>
      ${visit.live !== undefined && idleDialog(visit, here ?? visit.path)}
    </body>
    </html>`
}

/** Each language in its own words; the one in use is marked. */
const languageNames: Readonly<Record<Language, string>> = { id: 'Indonesia', en: 'English' }

const languageSwitch = (visit: Visit, here: string): Html =>
  form(
    visit,
    '/login/language',
    html`${hidden('next', here)}<fieldset class="languages"><legend class="unseen">${visit.say('page.language')}</legend>${languages.map(
      one =>
        html`<button type="submit" name="language" value="${one}" lang="${one}" ${one === visit.language && html`aria-current="true"`}>${languageNames[one]}</button>`,
    )}</fieldset>`,
    'inline',
  )

const accountMenu = (visit: Visit): Html => {
  const { say, path } = visit
  const link = (to: string, words: string): Html =>
    html`<li><a href="${to}" ${(path === to || (to !== '/account' && path.startsWith(`${to}/`))) && html`aria-current="page"`}>${words}</a></li>`
  return html`
    <nav aria-label="${say('account.nav')}">
      <ul>${link('/account', say('account.home'))}${link('/account/apps', say('account.apps'))}${link('/account/security', say('account.security'))}</ul>
      ${form(visit, '/account/logout', html`<button type="submit" class="quiet">${say('account.out')}</button>`, 'inline')}
    </nav>`
}

const minuteMs = 60_000
const warnedMs = 2 * minuteMs

/** Opened by the script two minutes before the session ends; its button is a form, so that it needs nothing else. */
const idleDialog = (visit: Visit, here: string): Fragment => {
  const { say, live, parts } = visit
  if (live === undefined) return undefined
  const now = parts.accounts.ground.clock()
  const idleMs = Math.min(live.session.value.endsAt - now, parts.accounts.rules.idleMinutes * minuteMs)
  return html`
    <dialog id="idle" aria-labelledby="idle-title" data-warn-ms="${Math.max(0, idleMs - warnedMs)}" data-end-ms="${idleMs}" data-then="/login?why=session&next=${encodeURIComponent(ownPath(here))}">
      <h2 id="idle-title">${say('idle.title')}</h2>
      <p>${say('idle.warn')}</p>
      ${form(visit, '/account/stay', html`${hidden('next', here)}<button type="submit" class="button first">${say('idle.stay')}</button>`)}
    </dialog>`
}
