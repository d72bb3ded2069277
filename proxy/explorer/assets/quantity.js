// Numbers of the chain: whole numbers of any size, shown exactly. No amount is ever a float.

/** Decimals of the chain's currency: a SOL is 10^18 wei here, as an ether is elsewhere. */
export const NATIVE = { name: 'SOL', symbol: 'SOL', decimals: 18 }

/** Fractions longer than this are no token's that means well; they are shown without. */
const DECIMALS_MAX = 77

/** A whole number with its digits in groups of three. */
export function grouped(value) {
  return BigInt(value).toString().replace(/\B(?=(\d{3})+$)/g, '\u202f')
}

/** An amount in its smallest unit as a decimal number, without trailing zeros. */
export function units(value, decimals) {
  if (decimals < 0 || decimals > DECIMALS_MAX) return grouped(value)
  const digits = BigInt(value).toString().padStart(decimals + 1, '0')
  const whole = grouped(digits.slice(0, digits.length - decimals))
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '')
  return fraction === '' ? whole : `${whole}.${fraction}`
}

/** Wei as SOL. */
export const native = (wei) => `${units(wei, NATIVE.decimals)} ${NATIVE.symbol}`

/** The smallest units in a decimal number that somebody typed. */
export function parseUnits(text, decimals) {
  const match = /^(\d{1,60})(?:\.(\d+))?$/.exec(text.trim())
  if (!match) throw new Error(`“${text}” is no amount: write it like 1.5`)
  const [, whole, fraction = ''] = match
  if (fraction.length > decimals) throw new Error(`an amount has ${decimals} decimals at most`)
  return BigInt(whole + fraction.padEnd(decimals, '0'))
}

/** As JSON-RPC has numbers. */
export const toHex = (value) => `0x${BigInt(value).toString(16)}`
