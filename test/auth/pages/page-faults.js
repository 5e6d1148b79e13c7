/**
 * What is wrong with the page in hand, as far as a program can see: run inside a browser. A small part of WCAG 2.2 AA: 1.1.1, 1.3.1, 1.4.3, 1.4.10, 2.4.1, 2.4.2,
 * 2.5.8, 3.1.1, 3.3.1, 3.3.2, 4.1.2. The test reads it as text; the list of faults is its value.
 */
;(() => {
  const faults = []
  const all = selector => [...document.querySelectorAll(selector)]
  const shown = element => element.checkVisibility({ visibilityProperty: true }) && element.closest('.unseen') === null
  const nameOf = element => element.getAttribute('aria-label') ?? (element.textContent ?? '').trim()

  if (!['id', 'en'].includes(document.documentElement.lang)) faults.push('no language')
  if (document.title.trim() === '') faults.push('no title')
  if (all('h1').length !== 1) faults.push(`${all('h1').length} headings of the first level`)
  if (all('main').length !== 1) faults.push('not one main part')
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) faults.push('wider than the window')

  let level = 0
  for (const heading of all('main h1, main h2, main h3, main h4')) {
    const here = Number(heading.tagName[1])
    if (here > level + 1) faults.push(`heading of level ${here} after ${level}: ${heading.textContent}`)
    level = here
  }

  const ids = all('[id]').map(({ id }) => id)
  for (const id of new Set(ids.filter((one, at) => ids.indexOf(one) !== at))) faults.push(`the id ${id} is there twice`)
  for (const element of all('[aria-describedby], [aria-labelledby], [aria-controls]'))
    for (const name of ['aria-describedby', 'aria-labelledby', 'aria-controls'])
      for (const id of (element.getAttribute(name) ?? '').split(' ').filter(one => one !== ''))
        if (document.getElementById(id) === null) faults.push(`${name} names ${id}, which is not there`)

  for (const input of all('input:not([type=hidden]), textarea')) {
    if ((input.labels?.length ?? 0) !== 1) faults.push(`${input.name} has ${input.labels?.length} labels`)
    if (input.getAttribute('aria-invalid') === 'true' && !(input.getAttribute('aria-describedby') ?? '').includes('-error'))
      faults.push(`${input.name} is wrong, and nothing says why`)
  }
  for (const button of all('button, a[href]')) if (nameOf(button) === '') faults.push(`no name: ${button.outerHTML.slice(0, 80)}`)
  for (const image of all('img')) if (!image.hasAttribute('alt')) faults.push('an image without alt')
  for (const group of all('fieldset')) if (group.querySelector('legend') === null) faults.push('a fieldset without a legend')
  for (const id of all('[tabindex]')) if (Number(id.getAttribute('tabindex')) > 0) faults.push('a tabindex above 0')

  for (const target of all('button, a.button, .tick input, input:not([type=hidden])').filter(shown)) {
    const { width, height } = target.getBoundingClientRect()
    if (!target.matches('.tick input') && (width < 24 || height < 24))
      faults.push(`a target of ${Math.round(width)} by ${Math.round(height)}: ${nameOf(target)}`)
  }

  const channels = color => (color.match(/[\d.]+/g) ?? []).map(Number)
  const luminance = color => {
    const [r = 0, g = 0, b = 0] = color.slice(0, 3).map(one => {
      const share = one / 255
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const groundOf = element => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = channels(getComputedStyle(at).backgroundColor)
      if (color.length === 3 || (color[3] ?? 0) === 1) return color
    }
    return [255, 255, 255]
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement
    if (element === null || (node.textContent ?? '').trim() === '' || !shown(element) || element.closest('.skip, script, style') !== null)
      continue
    const style = getComputedStyle(element)
    const [a, b] = [luminance(channels(style.color)), luminance(groundOf(element))]
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
    const large = Number.parseFloat(style.fontSize) >= 24
    if (contrast < (large ? 3 : 4.5)) faults.push(`contrast ${contrast.toFixed(2)}: ${(node.textContent ?? '').trim().slice(0, 40)}`)
  }
  return faults
})()
