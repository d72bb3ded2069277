// As much of Solidity's ABI as tokens need.

const WORD = 64
/** A longer text is cut before it is decoded. */
const TEXT_BYTES_MAX = 512

/** Selectors of ERC-20 and ERC-721. */
export const SELECTOR = {
  name: '0x06fdde03',
  symbol: '0x95d89b41',
  decimals: '0x313ce567',
  totalSupply: '0x18160ddd',
  balanceOf: '0x70a08231',
}

/** Call data with addresses as arguments. */
export const encodeCall = (selector, ...addresses) => selector + addresses.map(wordOfAddress).join('')

/** A topic that is an address. */
export const topicOfAddress = (address) => `0x${wordOfAddress(address)}`

const wordOfAddress = (address) => address.slice(2).toLowerCase().padStart(WORD, '0')

/** The address in a topic. */
export const addressOfTopic = (topic) => `0x${topic.slice(-40)}`

/** The word at a position of data, as a number; null if the data ends before. */
export function decodeUint(data, position = 0) {
  const word = data.slice(2 + position * WORD, 2 + (position + 1) * WORD)
  return word.length === WORD ? BigInt(`0x${word}`) : null
}

/** A returned text; null if it is none. Some old tokens return 32 bytes instead. */
export function decodeText(data) {
  const digits = data.slice(2)
  if (digits.length === WORD) return utf8(digits.replace(/(00)+$/, ''))
  const offset = decodeUint(data)
  if (offset === null || offset % 32n !== 0n || offset > BigInt(digits.length)) return null
  const start = Number(offset) * 2
  const length = decodeUint(data, start / WORD)
  if (length === null || length * 2n > BigInt(digits.length - start - WORD)) return null
  const bytes = Math.min(Number(length), TEXT_BYTES_MAX)
  return utf8(digits.slice(start + WORD, start + WORD + bytes * 2))
}

function utf8(digits) {
  const bytes = Uint8Array.from(digits.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
  return new TextDecoder().decode(bytes)
}
