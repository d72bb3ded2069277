import { buildModule } from '@nomicfoundation/hardhat-ignition/modules'

/** A coin, a bank for it, and a first deposit: calls that need what was deployed before. */
export default buildModule('Bank', (m) => {
  const coin = m.contract('Coin', [m.getParameter('supply', 1_000_000n)])
  const bank = m.contract('Bank', [coin])
  const approved = m.call(coin, 'approve', [bank, 500n])
  m.call(bank, 'deposit', [500n], { after: [approved] })
  return { coin, bank }
})
