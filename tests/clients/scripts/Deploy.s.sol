// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity ^0.8.30;

import {Counter} from "../src/Counter.sol";
import {Token} from "../src/Token.sol";

/// The part of forge's cheatcodes that a deployment script uses.
interface Vm {
    function startBroadcast() external;
    function stopBroadcast() external;
}

/// What `forge script` runs: first in its own EVM, on the state of the node; then as transactions on the node.
contract Deploy {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 private constant SUPPLY = 10 ** 24;

    /// Two contracts, and a call of one.
    function run() external returns (Token token, Counter counter) {
        vm.startBroadcast();
        token = new Token(SUPPLY);
        counter = new Counter(3);
        counter.increment();
        vm.stopBroadcast();
    }

    /// Transactions of one sender that do not wait for each other.
    function pay(Token token, address[] calldata receivers) external {
        vm.startBroadcast();
        for (uint256 i = 0; i < receivers.length; i++) token.transfer(receivers[i], i + 1);
        vm.stopBroadcast();
    }

    /// A call that fails: nothing may be sent.
    function fail(Counter counter) external {
        vm.startBroadcast();
        counter.increment();
        counter.failWithCustomError(42);
        vm.stopBroadcast();
    }
}
