import { ponder } from 'ponder:registry'
import { account, transfer } from 'ponder:schema'
import { zeroAddress } from 'viem'

ponder.on('Token:Transfer', async ({ event, context }) => {
  const { from, to, value } = event.args
  const { db } = context
  await db.insert(transfer).values({
    id: `${event.transaction.hash}-${event.log.logIndex}`,
    from,
    to,
    value,
    block: event.block.number,
    transaction: event.transaction.hash,
  })
  for (const [address, change] of [[from, -value], [to, value]] as const) {
    if (address === zeroAddress) continue
    await db
      .insert(account)
      .values({ address, balance: change })
      .onConflictDoUpdate((row) => ({ balance: row.balance + change }))
  }
})
