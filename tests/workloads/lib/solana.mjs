// What a receipt of Parhelion says beyond Ethereum's fields. Other nodes' receipts have none of it.

/** The part of `gasUsed` that paid for the rent of new state; the rest is what the EVM used. */
export const rentGas = (receipt) => BigInt(receipt.rentGas ?? 0)

/**
 * `{ transactions, computeUnits, steppingComputeUnits }`: how many Solana transactions it took, compute units, and
 * how many of those went into stepping (saving and loading a run that does not fit one Solana transaction). What
 * is not known is undefined. Of a receipt with one `solanaSignature`, the compute units are those of that
 * transaction, which executed; writes into a holder before it are not in them. `slots` is how many slots a
 * development chain took: one for each Solana transaction.
 */
export function onSolana(receipt, slots) {
  const number = (field) => (field === undefined || field === null ? undefined : Number(field))
  return {
    transactions: receipt.solanaSignatures?.length ?? slots,
    computeUnits: number(receipt.computeUnits),
    steppingComputeUnits: number(receipt.steppingComputeUnits),
  }
}
