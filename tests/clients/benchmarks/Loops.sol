// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity ^0.8.24;

/// Computation without state.
contract Loops {
    /// Keccak-256 of 64 bytes, again and again.
    function hash(uint256 rounds) external pure returns (bytes32 digest) {
        assembly {
            for { let i := 0 } lt(i, rounds) { i := add(i, 1) } {
                mstore(0x00, digest)
                mstore(0x20, i)
                digest := keccak256(0x00, 0x40)
            }
        }
    }

    /// Insertion sort of pseudo-random numbers; gives the smallest.
    function sort(uint256 count) external pure returns (uint256) {
        uint256[] memory numbers = new uint256[](count);
        uint256 random = 12345;
        for (uint256 i = 0; i < count; i++) {
            random = (random * 1103515245 + 12345) % 2147483648;
            numbers[i] = random;
        }
        for (uint256 i = 1; i < count; i++) {
            uint256 number = numbers[i];
            uint256 j = i;
            while (j > 0 && numbers[j - 1] > number) {
                numbers[j] = numbers[j - 1];
                j--;
            }
            numbers[j] = number;
        }
        return numbers[0];
    }
}
