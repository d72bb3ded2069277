// What several views are made of.

import { element } from './dom.js'
import { native } from './quantity.js'
import { age, moment, short } from './words.js'

const link = (path, text, attributes = {}) => element('a', { href: `/explorer${path}`, ...attributes }, text)

export const blockLink = (number) => link(`/block/${BigInt(number)}`, `${BigInt(number)}`)

/** A link that is a hash or an address; one that is cut has all of it as a title. */
const hashLink = (kind, hex, isFull) =>
  link(`/${kind}/${hex}`, isFull ? hex : short(hex), { class: 'hash', title: isFull ? null : hex })

export const transactionLink = (hash, { isFull = false } = {}) => hashLink('tx', hash, isFull)
export const addressLink = (address, { isFull = false } = {}) => hashLink('address', address, isFull)

/** A token by its symbol or name, next to which its address stands: anybody can use any symbol. */
export function tokenLink(address, { symbol, name }) {
  const label = symbol ?? name
  return element('span', {}, label && `${label} `, hashLink('token', address, false))
}

/** A hash or an address that leads nowhere. */
export const hash = (hex) => element('span', { class: 'hash' }, hex)

/** How long ago; `refreshAges` keeps it true. */
export function when(timestamp) {
  return element('time', { 'data-timestamp': `${BigInt(timestamp)}`, title: moment(timestamp) }, age(timestamp))
}

export function refreshAges() {
  for (const time of document.querySelectorAll('time[data-timestamp]')) {
    time.textContent = age(time.dataset.timestamp)
  }
}

/** Labels and values; a value that is null or undefined is left out with its label. */
export function facts(rows) {
  const shown = rows.filter(([, value]) => value !== null && value !== undefined)
  const entry = ([label, ...value]) => element('div', {}, element('dt', {}, label), element('dd', {}, value))
  return element('dl', { class: 'facts' }, shown.map(entry))
}

export const section = (title, ...content) => element('section', {}, element('h2', {}, title), content)

export const row = (cells) => element('tr', {}, cells.map((cell) => element('td', {}, cell)))

/** A table under a heading, with the rows of an element; `more` comes behind it. */
export function tableOf(title, headings, body, ...more) {
  const heads = headings.map((heading) => element('th', { scope: 'col' }, heading))
  const whole = element('table', {}, element('thead', {}, element('tr', {}, heads)), body)
  // It scrolls by itself, for which keys have to reach it.
  const scroll = element('div', { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': title }, whole)
  return section(title, scroll, more)
}

/** The same with cells; `empty` stands in its place if there are none. */
export function table(title, headings, rows, empty = 'None.') {
  if (rows.length === 0) return section(title, element('p', { class: 'empty' }, empty))
  return tableOf(title, headings, element('tbody', {}, rows.map(row)))
}

export const TRANSACTION_HEADINGS = ['Transaction', 'Block', 'Age', 'From', 'To', 'Value']

/** The cells of a transaction with the time of its block. */
export function transactionCells(transaction) {
  return [
    transactionLink(transaction.hash),
    blockLink(transaction.blockNumber),
    when(transaction.timestamp),
    addressLink(transaction.from),
    recipient(transaction),
    native(transaction.value),
  ]
}

/** To whom it goes, or which contract it creates as far as that is known. */
export const recipient = ({ to, creates }) => (to === null && !creates ? 'a new contract' : addressLink(to ?? creates))

/** Long data: its length, and all of it on demand. */
export function data(hex) {
  const bytes = (hex.length - 2) / 2
  if (bytes === 0) return 'none'
  return element('details', {}, element('summary', {}, `${bytes} bytes`), element('pre', { class: 'hash' }, hex))
}

/** What stands in the place of something that is not there. */
export const absent = (...words) => element('p', { class: 'empty' }, words)
