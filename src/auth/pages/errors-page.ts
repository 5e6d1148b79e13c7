import { oauthErrors } from '../oauth-errors.ts'
import { sendPage } from './answers.ts'
import { html } from './html.ts'
import { layout } from './layout.ts'
import type { Page, Pages } from './routing.ts'

/** For developers: what each error of the authorization server means. `error_uri` of an error leads to its section. @see auth.md 15 */
const showErrors: Page = async ({ visit }) => {
  const { say, language } = visit
  sendPage(
    visit,
    layout(visit, {
      title: say('errors.title'),
      width: 'list',
      body: html`
        <h1>${say('errors.title')}</h1>
        <p class="lead">${say('errors.hint')}</p>
        ${Object.entries(oauthErrors).map(
          ([error, [id, en]]) =>
            html`<section class="card" id="${error}"><h2><code>${error}</code></h2><p>${language === 'id' ? id : en}</p></section>`,
        )}`,
    }),
  )
}

export const errorsPages: Pages = { 'GET /login/errors': showErrors }
