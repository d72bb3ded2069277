// What a receipt of Parhelion says beyond Ethereum's fields. Other nodes' receipts have none of it.

/** The part of `gasUsed` that paid for the rent of new state; the rest is what the EVM used. */
export const rentGas = (receipt) => BigInt(receipt.rentGas ?? 0)

/**
 * `{ transactions, computeUnits, steppingComputeUnits }`: how many Solana transactions it took, compute units, and how
 * many of those went into stepping: what a run in steps took more than it would have taken at once, which the node knows
 * (`run`, the answer of `parhelion_getRun`). What is not known is undefined.
 *
 * `counted`, which was counted without the receipt, is believed first.
 */
export function onSolana(receipt, counted = {}, run = null) {
  const number = (field) => (field === undefined || field === null ? undefined : Number(field))
  return {
    transactions: counted.transactions ?? receipt.solanaSignatures?.length,
    computeUnits: counted.computeUnits ?? number(receipt.totalComputeUnits ?? receipt.computeUnits),
    steppingComputeUnits: stepping(number(receipt.totalComputeUnits), run?.computeUnitsAtOnce),
  }
}

/** What more a run in steps took than it would have taken at once; writes into the holder are in it. */
const stepping = (all, atOnce) => (all === undefined || atOnce === undefined || atOnce === null ? undefined : Math.max(0, all - atOnce))
