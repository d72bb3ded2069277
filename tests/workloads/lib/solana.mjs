// What a receipt of Parhelion says beyond Ethereum's fields. Other nodes' receipts have none of it.

/** The part of `gasUsed` that paid for the rent of new state; the rest is what the EVM used. */
export const rentGas = (receipt) => BigInt(receipt.rentGas ?? 0)

/**
 * `{ transactions, computeUnits, steppingComputeUnits }`: how many Solana transactions it took, compute units, and how
 * many of those went into stepping (saving and loading a run that does not fit one Solana transaction). What is not
 * known is undefined.
 *
 * `counted`, which was counted without the receipt, is believed first. Compute units of a receipt with one
 * `solanaSignature` are those of the transaction that executed; writes into a holder before it are not in them.
 */
export function onSolana(receipt, counted = {}) {
  const number = (field) => (field === undefined || field === null ? undefined : Number(field))
  return {
    transactions: counted.transactions ?? receipt.solanaSignatures?.length,
    computeUnits: counted.computeUnits ?? number(receipt.computeUnits),
    steppingComputeUnits: number(receipt.steppingComputeUnits),
  }
}
