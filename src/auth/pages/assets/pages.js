// Comfort only: every page works without it.

/** Two minutes before the session ends: says so; at the end the page does not stay. Where another page went on, login leads back here. */
const idle = document.getElementById('idle')
if (idle instanceof HTMLDialogElement) {
  const begun = Date.now()
  const { warnMs, endMs, then } = idle.dataset
  // Timers stand still while a computer sleeps, so the clock is looked at.
  const watch = setInterval(() => {
    const passed = Date.now() - begun
    if (passed >= Number(endMs)) {
      clearInterval(watch)
      location.assign(then)
    } else if (passed >= Number(warnMs) && !idle.open) idle.showModal()
  }, 1000)
}

/** A button beside each password that shows it. */
for (const input of document.querySelectorAll('input[data-show]')) {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'reveal'
  button.textContent = input.dataset.show
  button.setAttribute('aria-controls', input.id)
  button.setAttribute('aria-pressed', 'false')
  button.addEventListener('click', () => {
    const shown = input.type === 'text'
    input.type = shown ? 'password' : 'text'
    button.textContent = shown ? input.dataset.show : input.dataset.hide
    button.setAttribute('aria-pressed', String(!shown))
  })
  const row = document.createElement('div')
  row.className = 'revealed'
  input.replaceWith(row)
  row.append(input, button)
}

/** A form is sent once. A page that comes back from the browser's memory may send again. */
for (const form of document.querySelectorAll('form')) {
  form.addEventListener('submit', event => {
    if (form.dataset.sent === 'yes') event.preventDefault()
    form.dataset.sent = 'yes'
  })
}
addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form')) delete form.dataset.sent
})

/** Whoever ticks one of the kinds wants these in place of everything. */
for (const kind of document.querySelectorAll('input[data-instead-of]')) {
  kind.addEventListener('change', () => {
    const all = document.getElementById(kind.dataset.insteadOf)
    if (kind.checked && all instanceof HTMLInputElement) all.checked = false
  })
}
