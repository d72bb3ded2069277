"""The node under test and the contracts, as web3py.test.mjs hands them over on standard input."""

import json
import sys

from eth_account import Account
from web3 import Web3
from web3.middleware import SignAndSendRawMiddlewareBuilder

_given = json.load(sys.stdin)

URL = _given["url"]
ACCOUNT = Account.from_key(_given["privateKey"])
SENDER = ACCOUNT.address

POLLING_INTERVAL_S = 0.05
REQUEST_LIMIT_S = 20



def connect():
    """web3.py over HTTP; what it sends is signed here."""
    w3 = Web3(Web3.HTTPProvider(URL, request_kwargs={"timeout": REQUEST_LIMIT_S}))
    w3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(ACCOUNT), layer=0)
    w3.eth.default_account = SENDER
    return w3


def receipt_of(w3, sent):
    """The receipt of a transaction that was sent."""
    return w3.eth.wait_for_transaction_receipt(sent, REQUEST_LIMIT_S, POLLING_INTERVAL_S)


def deploy(w3, name, *args, **overrides):
    """A contract of the folder `contracts`, deployed."""
    artifact = _given["artifacts"][name]
    factory = w3.eth.contract(abi=artifact["abi"], bytecode=artifact["bytecode"])
    receipt = receipt_of(w3, factory.constructor(*args).transact(overrides))
    return w3.eth.contract(address=receipt["contractAddress"], abi=artifact["abi"])


def fresh_address():
    """An address that nobody has used."""
    return Account.create().address
