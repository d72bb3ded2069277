// Words: of errors, of times, and of texts that strangers wrote.

/** Longer texts of strangers are cut. */
const TEXT_MAX = 100

/** What went wrong. */
export const wordsOf = (error) => error?.message || String(error)

/**
 * A text of a stranger that fits a line. Characters that cannot be seen or change the direction of writing are
 * replaced, so that it cannot pretend to be something else.
 */
export function plain(text) {
  const visible = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, '\ufffd').trim()
  const characters = [...visible]
  return characters.length > TEXT_MAX ? `${characters.slice(0, TEXT_MAX).join('')}…` : visible
}

/** The beginning and the end of a hash or an address. */
export const short = (hex) => (hex.length > 22 ? `${hex.slice(0, 10)}…${hex.slice(-8)}` : hex)

const AGES = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
]
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always' })

/** How long ago a block's time was. */
export function age(timestamp) {
  const seconds = Math.max(0, Math.floor(Date.now() / 1000) - Number(timestamp))
  const [length, unit] = AGES.find(([length]) => seconds >= length) ?? AGES.at(-1)
  return relative.format(-Math.floor(seconds / length), unit)
}

/** A block's time, in words that everybody reads alike. */
export function moment(timestamp) {
  const date = new Date(Number(timestamp) * 1000)
  if (Number.isNaN(date.getTime())) return `${BigInt(timestamp)} s after 1970`
  return date.toISOString().replace('T', ' ').replace('.000Z', ' UTC')
}
