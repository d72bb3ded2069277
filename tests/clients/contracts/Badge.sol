// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity ^0.8.24;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";

/// An ERC-721 of which anybody may mint any number that is free.
contract Badge is ERC721 {
    constructor() ERC721("Parhelion Test Badge", "PTB") {}

    function mint(address to, uint256 id) external {
        _mint(to, id);
    }
}
