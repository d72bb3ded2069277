// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity ^0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// contracts/Token.sol once more, for the optimiser.
contract OptimisedToken is ERC20 {
    constructor(uint256 supply) ERC20("Parhelion Test Token", "PTT") {
        _mint(msg.sender, supply);
    }
}
