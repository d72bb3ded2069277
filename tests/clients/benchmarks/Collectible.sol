// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity ^0.8.24;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";

/// OpenZeppelin's ERC-721 that anybody may mint.
contract Collectible is ERC721 {
    constructor() ERC721("Parhelion Test Collectible", "PTC") {}

    function mint(address to, uint256 id) external {
        _mint(to, id);
    }
}
