// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// Computation that changes one storage value at its end.
contract Loop {
    uint256 public result;

    event Finished(uint256 rounds, uint256 result);

    /// About 100 gas a round: arithmetic with 256-bit products and a division.
    function run(uint256 rounds) external {
        uint256 x = 0x9e3779b97f4a7c15f39cc0605cedc8341082276bf3a27251f86c6a11d0c18e95;
        for (uint256 i = 1; i <= rounds; i++) {
            unchecked {
                x = mulmod(x, x ^ i, type(uint256).max - 188) + x / i;
            }
        }
        result = x;
        emit Finished(rounds, x);
    }
}

/// Fresh storage values: neighbours, and spread over the whole space.
contract Stores {
    uint256[] public list;
    mapping(uint256 => uint256) public spread;

    event Stored(uint256 count);

    function storeNeighbours(uint256 count) external {
        for (uint256 i = 1; i <= count; i++) list.push(i);
        emit Stored(count);
    }

    function storeSpread(uint256 count) external {
        for (uint256 i = 1; i <= count; i++) spread[i] = i;
        emit Stored(count);
    }

    function storeSpreadFrom(uint256 first, uint256 count) external {
        for (uint256 i = first; i < first + count; i++) spread[i] = i;
        emit Stored(count);
    }

    function storeSum(uint256 count) external {
        uint256 all;
        for (uint256 i = 1; i <= count; i++) all += spread[i];
        list.push(all);
        emit Stored(all);
    }

    function sum(uint256 count) external view returns (uint256 neighbours, uint256 scattered) {
        for (uint256 i = 0; i < list.length; i++) neighbours += list[i];
        for (uint256 i = 1; i <= count; i++) scattered += spread[i];
    }
}

/// Takes any amount of calldata.
contract Calldata {
    bytes32 public digest;

    event Took(uint256 size, bytes32 digest);

    function take(bytes calldata data) external {
        digest = keccak256(data);
        emit Took(data.length, digest);
    }
}

/// Uses any amount of memory.
contract Memory {
    bytes32 public digest;

    event Filled(uint256 size, bytes32 digest);

    function fill(uint256 size) external {
        digest = hashed(size);
        emit Filled(size, digest);
    }

    /// Writes every word of `size` bytes of memory, copies the first half over the second but for its first word,
    /// and hashes it all.
    function hashed(uint256 size) public pure returns (bytes32 result) {
        assembly {
            let start := mload(0x40)
            for { let at := 0 } lt(at, size) { at := add(at, 0x20) } { mstore(add(start, at), mul(add(at, 1), at)) }
            let half := div(size, 2)
            mcopy(add(add(start, half), 0x20), start, sub(half, 0x20))
            result := keccak256(start, size)
        }
    }
}
