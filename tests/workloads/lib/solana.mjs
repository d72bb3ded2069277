// What a receipt of Parhelion says beyond Ethereum's fields. Other nodes' receipts have none of it.

/** The part of `gasUsed` that paid for the rent of new state; the rest is what the EVM used. */
export const rentGas = (receipt) => BigInt(receipt.rentGas ?? 0)

/**
 * `{ transactions, computeUnits, steppingComputeUnits }`: how many Solana transactions it took, their compute units, and
 * how many of those went into stepping (saving and loading a run that does not fit one Solana transaction). What the
 * receipt does not say is undefined.
 */
export function onSolana(receipt) {
  const signatures = receipt.solanaSignatures ?? (receipt.solanaSignature ? [receipt.solanaSignature] : undefined)
  const number = (field) => (field === undefined || field === null ? undefined : Number(field))
  return {
    transactions: number(receipt.solanaTransactions) ?? signatures?.length,
    computeUnits: number(receipt.computeUnits),
    steppingComputeUnits: number(receipt.steppingComputeUnits),
  }
}
