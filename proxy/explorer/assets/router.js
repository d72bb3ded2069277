// Which view a path has. Links inside the explorer change the view without loading the page anew.

import { button, element } from './dom.js'
import { absent } from './parts.js'
import { wordsOf } from './words.js'

const missing = () => ({
  title: 'No such page',
  content: [absent('There is nothing at this address. Search for a block, a transaction or an address.')],
})

const here = () => location.pathname + location.search

/** Shows views in an element; says `go` when it begins with another. */
export class Router extends EventTarget {
  #place
  #routes
  #visit = new AbortController()
  #shown

  /** `routes` are pairs of a pattern and a view: `(parts of the path, signal) => ({ title, content })`. */
  constructor(place, routes) {
    super()
    this.#place = place
    this.#routes = routes
  }

  start() {
    document.addEventListener('click', (event) => this.#follow(event))
    window.addEventListener('popstate', () => {
      // A link to a place in the page is no other page.
      if (here() !== this.#shown) this.show()
    })
    this.show()
  }

  /** Goes to a path of the explorer. */
  go(path) {
    if (path !== here()) history.pushState(null, '', path)
    window.scrollTo(0, 0)
    this.show({ focus: true })
  }

  /** Shows what the address names. The signal of the view before is aborted. */
  async show({ focus = false } = {}) {
    this.#visit.abort()
    this.#shown = here()
    const { signal } = (this.#visit = new AbortController())
    this.dispatchEvent(new Event('go'))
    this.#place.setAttribute('aria-busy', 'true')
    const { title, content } = await this.#view(signal)
    if (signal.aborted) return
    document.title = `${title} · Parhelion`
    this.#place.replaceChildren(element('h1', {}, title), ...content)
    this.#place.setAttribute('aria-busy', 'false')
    // So that screen readers and keys begin with the new view.
    if (focus) this.#place.focus({ preventScroll: true })
  }

  async #view(signal) {
    for (const [pattern, view] of this.#routes) {
      const parts = location.pathname.match(pattern)?.slice(1)
      if (!parts) continue
      try {
        return await view(parts, signal)
      } catch (error) {
        const words = element('p', { class: 'failure' }, wordsOf(error))
        return { title: 'This cannot be shown', content: [words, button('Try again', () => this.show())] }
      }
    }
    return missing()
  }

  #follow(event) {
    const link = event.target.closest?.('a[href^="/explorer"]')
    // With a key held down, links open elsewhere.
    const isElsewhere = event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey
    if (!link || isElsewhere) return
    event.preventDefault()
    this.go(link.getAttribute('href'))
  }
}
