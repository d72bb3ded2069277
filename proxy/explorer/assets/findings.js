// A table that is filled from the newest block downwards, as far as somebody wants.

import { button, element } from './dom.js'
import { row, tableOf } from './parts.js'
import { wordsOf } from './words.js'

export class Findings {
  #find
  #next
  #body = element('tbody')
  #status = element('span', { role: 'status' })
  #more = button('Search older blocks', () => this.more())

  /** `find(block)` looks from a block downwards for `{ rows, next }`: cells, and the block to go on with, or null. */
  constructor(newest, find) {
    this.#next = newest
    this.#find = find
  }

  /** Looks further. */
  async more() {
    try {
      const { rows, next } = await this.#find(this.#next)
      this.#body.append(...rows.map(row))
      this.#next = next
    } catch (error) {
      this.#status.replaceChildren(wordsOf(error))
      return
    }
    const isEnd = this.#next === null
    const where = isEnd ? 'All blocks were searched' : `Blocks from ${this.#next + 1n} on were searched`
    this.#status.replaceChildren(`${where}: ${this.#body.rows.length || 'none'} found.`)
    this.#more.hidden = isEnd
  }

  content(title, headings) {
    return tableOf(title, headings, this.#body, element('p', { class: 'note' }, this.#status), this.#more)
  }
}
