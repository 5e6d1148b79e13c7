import { type Fragment, type Html, html } from './html.ts'
import { tokenField } from './form-token.ts'
import type { Visit } from './visit.ts'

/** A form that is posted to one of our pages, with what shows that it is ours. */
export const form = (visit: Visit, action: string, inside: Fragment, kind: 'plain' | 'inline' = 'plain'): Html =>
  html`<form method="post" action="${action}" class="${kind}" accept-charset="utf-8">${tokenField(visit)}${inside}</form>`

export type Field = {
  readonly name: string
  readonly label: string
  readonly type?: 'text' | 'password' | 'email' | 'search'
  readonly value?: string
  readonly hint?: string
  readonly error?: string
  readonly autocomplete?: string
  /** `numeric` for codes: digits on the keyboards of phones. */
  readonly inputmode?: 'numeric' | 'text' | 'email'
  readonly focus?: boolean
  readonly maxlength?: number
  readonly optional?: boolean
  /** Words of the button that shows a password; with script only. */
  readonly reveal?: { readonly show: string; readonly hide: string }
}

/** One field on its line: label, hint, input, and what is wrong with it, which the input names as its description. */
export const field = (one: Field): Html => {
  const { name, label, type = 'text', value, hint, error, autocomplete, inputmode, maxlength = 256, reveal } = one
  const described = [hint === undefined ? '' : `${name}-hint`, error === undefined ? '' : `${name}-error`].filter(id => id !== '').join(' ')
  return html`
    <div class="field">
      <label for="${name}">${label}</label>
      ${hint !== undefined && html`<p class="hint" id="${name}-hint">${hint}</p>`}
      <input id="${name}" name="${name}" type="${type}" maxlength="${maxlength}" spellcheck="false" autocapitalize="none"
        ${value !== undefined && html`value="${value}"`}
        ${autocomplete !== undefined && html`autocomplete="${autocomplete}"`}
        ${inputmode !== undefined && html`inputmode="${inputmode}"`}
        ${described !== '' && html`aria-describedby="${described}"`}
        ${error !== undefined && html`aria-invalid="true"`}
        ${one.optional !== true && html`required`}
        ${(one.focus === true || error !== undefined) && html`autofocus`}
        ${reveal !== undefined && html`data-show="${reveal.show}" data-hide="${reveal.hide}"`}>
      ${error !== undefined && html`<p class="error" id="${name}-error">${error}</p>`}
    </div>`
}

export const button = (
  words: string,
  kind: 'first' | 'second' | 'danger' = 'first',
  sent?: { readonly name: string; readonly value: string },
): Html =>
  html`<button type="submit" class="button ${kind}" ${sent !== undefined && html`name="${sent.name}" value="${sent.value}"`}>${words}</button>`

/** A message that a screen reader speaks when the page comes: what went wrong, or what was done. */
export const notice = (kind: 'bad' | 'good' | 'note', words: Fragment): Html =>
  html`<div class="notice ${kind}" role="${kind === 'bad' ? 'alert' : 'status'}">${words}</div>`

export const hidden = (name: string, value: string): Html => html`<input type="hidden" name="${name}" value="${value}">`
