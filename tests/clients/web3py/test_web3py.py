"""web3.py 8: a token, events, decoded errors, transactions, fees, batches; over HTTP and over WebSocket."""

import asyncio
import unittest

from eth_utils import keccak
from web3 import AsyncWeb3, WebSocketProvider
from web3.exceptions import (
    BlockNotFound,
    ContractCustomError,
    ContractLogicError,
    ContractPanicError,
    TransactionNotFound,
    Web3RPCError,
)

import report
from node import ACCOUNT, SENDER, URL, connect, deploy, fresh_address, receipt_of

SUPPLY = 10**24

# For a transaction that is to fail on chain, which no estimate can cover.
GAS_FOR_A_REVERT = 1_000_000

SUBSCRIPTION_LIMIT_S = 15

w3 = connect()


class Token(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.token = deploy(w3, "Token", SUPPLY)

    def transfer(self, to, value):
        return receipt_of(w3, self.token.functions.transfer(to, value).transact())

    def test_deployment(self):
        """a deployment, and calls of what it deployed"""
        self.assertNotEqual(w3.eth.get_code(self.token.address), b"")
        self.assertEqual(self.token.functions.name().call(), "Parhelion Test Token")
        self.assertEqual(self.token.functions.decimals().call(), 18)
        self.assertEqual(self.token.functions.balanceOf(SENDER).call(), SUPPLY)

    def test_transfer(self):
        """transfer, with its receipt and decoded events"""
        to = fresh_address()
        estimate = self.token.functions.transfer(to, 1_000).estimate_gas()
        receipt = self.transfer(to, 1_000)
        self.assertEqual((receipt.status, receipt.type), (1, 2))
        self.assertEqual((receipt["from"], receipt.to), (SENDER, self.token.address))
        self.assertLessEqual(receipt.gasUsed, estimate)
        self.assertIsNone(receipt.contractAddress)
        (event,) = self.token.events.Transfer().process_receipt(receipt)
        self.assertEqual(dict(event.args), {"from": SENDER, "to": to, "value": 1_000})
        self.assertEqual(self.token.functions.balanceOf(to).call(), 1_000)

    def test_get_logs(self):
        """get_logs by parameter and by range"""
        first, second = fresh_address(), fresh_address()
        start = self.transfer(first, 11).blockNumber
        end = self.transfer(second, 22).blockNumber

        def values(**options):
            return [event.args.value for event in self.token.events.Transfer().get_logs(**options)]

        self.assertEqual(values(from_block=start, to_block=end), [11, 22])
        self.assertEqual(values(from_block=start, argument_filters={"to": second}), [22])
        self.assertEqual(values(from_block=start, argument_filters={"to": [first, second]}), [11, 22])
        self.assertEqual(values(from_block=start, argument_filters={"from": first}), [])
        self.assertEqual(values(from_block=end), [22])
        block = w3.eth.get_block(start)
        self.assertEqual(values(block_hash=block.hash), [11])

    def test_filter(self):
        """a filter tells new events, and the same only once"""
        to = fresh_address()
        wanted = self.token.events.Transfer().create_filter(from_block="latest", argument_filters={"to": to})
        self.transfer(to, 5)
        self.transfer(fresh_address(), 6)
        self.assertEqual([event.args.value for event in wanted.get_new_entries()], [5])
        self.assertEqual(wanted.get_new_entries(), [])
        self.assertTrue(w3.eth.uninstall_filter(wanted.filter_id))

    def test_storage(self):
        """storage"""
        self.assertEqual(int.from_bytes(w3.eth.get_storage_at(self.token.address, 2), "big"), SUPPLY)
        self.assertEqual(int.from_bytes(w3.eth.get_storage_at(self.token.address, 77), "big"), 0)


class Failures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.counter = deploy(w3, "Counter", 3)

    def test_reason(self):
        """a reason, by eth_call and by eth_estimateGas"""
        call = self.counter.functions.failWithReason()
        for attempt in (call.call, call.estimate_gas):
            with self.assertRaisesRegex(ContractLogicError, "execution reverted: the reason"):
                attempt()

    def test_custom_error(self):
        """a custom error comes with its data"""
        with self.assertRaises(ContractCustomError) as raised:
            self.counter.functions.failWithCustomError(42).call()
        selector = keccak(text="Forbidden(address,uint256)")[:4].hex()
        self.assertEqual(raised.exception.data, f"0x{selector}{SENDER[2:].lower():0>64}{42:064x}")

    def test_panic(self):
        """a panic is decoded"""
        with self.assertRaisesRegex(ContractPanicError, "Panic error 0x11"):
            self.counter.functions.failWithPanic(1).call()

    def test_not_sent(self):
        """a transaction that would revert is not sent"""
        nonce = w3.eth.get_transaction_count(SENDER)
        with self.assertRaisesRegex(ContractLogicError, "the reason"):
            self.counter.functions.failWithReason().transact()
        self.assertEqual(w3.eth.get_transaction_count(SENDER), nonce)

    def test_reverted(self):
        """one that reverts on chain has a receipt with status 0"""
        nonce = w3.eth.get_transaction_count(SENDER)
        sent = self.counter.functions.failWithReason().transact({"gas": GAS_FOR_A_REVERT, "value": 5})
        receipt = receipt_of(w3, sent)
        self.assertEqual((receipt.status, receipt.logs), (0, []))
        self.assertEqual(self.counter.functions.count().call(), 0)
        self.assertEqual(w3.eth.get_balance(self.counter.address), 0)
        self.assertEqual(w3.eth.get_transaction_count(SENDER), nonce + 1)

    def test_used_nonce(self):
        """a nonce that was used is refused"""
        with self.assertRaisesRegex(Web3RPCError, "nonce too low"):
            w3.eth.send_transaction({"to": fresh_address(), "value": 1, "nonce": 0})

    def test_unknown(self):
        """what is not there is not found"""
        nowhere = b"\0" * 32
        self.assertRaises(TransactionNotFound, w3.eth.get_transaction, nowhere)
        self.assertRaises(TransactionNotFound, w3.eth.get_transaction_receipt, nowhere)
        self.assertRaises(BlockNotFound, w3.eth.get_block, nowhere)
        self.assertRaises(BlockNotFound, w3.eth.get_block, w3.eth.block_number + 1_000_000)


class Transactions(unittest.TestCase):
    def test_types(self):
        """types 0, 1 and 2 come back as they were signed"""
        price = w3.eth.gas_price
        tip = w3.eth.max_priority_fee
        access_list = [{"address": fresh_address(), "storageKeys": ["0x" + "00" * 32]}]
        kinds = [
            {"gasPrice": price},
            {"gasPrice": price, "accessList": access_list},
            {"maxFeePerGas": 2 * price + tip, "maxPriorityFeePerGas": tip, "accessList": access_list},
        ]
        for number, kind in enumerate(kinds):
            to = fresh_address()
            receipt = receipt_of(w3, w3.eth.send_transaction({"to": to, "value": 5, "data": "0xc0ffee", **kind}))
            self.assertEqual((receipt.status, receipt.type), (1, number))
            found = w3.eth.get_transaction(receipt.transactionHash)
            self.assertEqual((found.type, found.value, found.to), (number, 5, to))
            self.assertEqual(found.input.hex(), "c0ffee")
            self.assertEqual(found.blockHash, receipt.blockHash)
            self.assertEqual(len(found.get("accessList", [])), number > 0)
            self.assertEqual(w3.eth.get_balance(to), 5)

    def test_signed(self):
        """a transaction that was signed before, and the same again"""
        to = fresh_address()
        request = {
            "to": to,
            "value": 7,
            "nonce": w3.eth.get_transaction_count(SENDER),
            "gas": w3.eth.estimate_gas({"to": to, "value": 7}),
            "gasPrice": w3.eth.gas_price,
            "chainId": w3.eth.chain_id,
        }
        raw = ACCOUNT.sign_transaction(request).raw_transaction
        sent = w3.eth.send_raw_transaction(raw)
        self.assertEqual(sent, keccak(raw))
        self.assertEqual(receipt_of(w3, sent).status, 1)
        self.assertEqual(w3.eth.get_balance(to), 7)
        with self.assertRaisesRegex(Web3RPCError, "nonce too low|already known|already imported"):
            w3.eth.send_raw_transaction(raw)


class Chain(unittest.TestCase):
    def test_block(self):
        """a block by number and by hash, with its transactions and receipts"""
        receipt = receipt_of(w3, w3.eth.send_transaction({"to": fresh_address(), "value": 1}))
        block = w3.eth.get_block(receipt.blockNumber)
        self.assertEqual(block.hash, receipt.blockHash)
        self.assertEqual(block.transactions[receipt.transactionIndex], receipt.transactionHash)
        full = w3.eth.get_block(block.hash, full_transactions=True)
        self.assertEqual(full.transactions[receipt.transactionIndex].hash, receipt.transactionHash)
        self.assertEqual(w3.eth.get_block_transaction_count(block.hash), len(block.transactions))
        receipts = w3.eth.get_block_receipts(block.number)
        self.assertEqual([each.transactionHash for each in receipts], block.transactions)

    def test_fees(self):
        """gas price, priority fee and fee history"""
        base_fee = w3.eth.get_block("latest").baseFeePerGas
        self.assertGreaterEqual(w3.eth.gas_price, base_fee)
        self.assertGreaterEqual(w3.eth.max_priority_fee, 0)
        history = w3.eth.fee_history(2, "latest", [25, 75])
        blocks = len(history.gasUsedRatio)
        self.assertEqual((len(history.baseFeePerGas), len(history.reward)), (blocks + 1, blocks))
        self.assertTrue(all(len(percentiles) == 2 for percentiles in history.reward))

    def test_identity(self):
        """connection, chain id, network and version"""
        self.assertTrue(w3.is_connected())
        self.assertEqual(int(w3.net.version), w3.eth.chain_id)
        self.assertTrue(w3.net.listening)
        self.assertFalse(w3.eth.syncing)
        self.assertTrue(w3.client_version)

    def test_batch(self):
        """a batch answers each of its requests"""
        with w3.batch_requests() as batch:
            batch.add(w3.eth.get_balance(SENDER))
            batch.add(w3.eth.get_balance(fresh_address()))
            batch.add(w3.eth.get_block("latest"))
            mine, nobodys, block = batch.execute()
        self.assertEqual(mine, w3.eth.get_balance(SENDER))
        self.assertEqual(nobodys, 0)
        self.assertGreaterEqual(w3.eth.block_number, block.number)


class WebSocket(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.socket = await AsyncWeb3(WebSocketProvider(URL.replace("http", "ws", 1)))

    async def asyncTearDown(self):
        await self.socket.provider.disconnect()

    async def test_requests(self):
        """over WebSocket: many requests at once get their own answers"""
        addresses = [SENDER, *(fresh_address() for _ in range(20))]
        balances = await asyncio.gather(*(self.socket.eth.get_balance(address) for address in addresses))
        self.assertEqual(balances, [w3.eth.get_balance(SENDER), *([0] * 20)])
        self.assertEqual(await self.socket.eth.chain_id, w3.eth.chain_id)

    async def test_subscription(self):
        """over WebSocket: a subscription to the events of a token"""
        token = deploy(w3, "Token", SUPPLY)
        to = fresh_address()
        await self.socket.eth.subscribe("logs", {"address": token.address})
        receipt = receipt_of(w3, token.functions.transfer(to, 31).transact())
        async with asyncio.timeout(SUBSCRIPTION_LIMIT_S):
            message = await anext(aiter(self.socket.socket.process_subscriptions()))
        event = token.events.Transfer().process_log(message["result"])
        self.assertEqual(dict(event.args), {"from": SENDER, "to": to, "value": 31})
        self.assertEqual(event.transactionHash, receipt.transactionHash)


if __name__ == "__main__":
    report.run(__name__)
