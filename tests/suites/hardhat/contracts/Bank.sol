// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

contract Coin is ERC20 {
    constructor(uint256 supply) ERC20("Coin", "C") {
        _mint(msg.sender, supply);
    }
}

/// Keeps coins of its depositors.
contract Bank {
    event Deposited(address indexed who, uint256 amount);

    error NotYours(uint256 asked, uint256 yours);

    IERC20 public immutable coin;
    mapping(address who => uint256) public deposits;

    constructor(IERC20 coin_) {
        coin = coin_;
    }

    function deposit(uint256 amount) external {
        deposits[msg.sender] += amount;
        require(coin.transferFrom(msg.sender, address(this), amount));
        emit Deposited(msg.sender, amount);
    }

    function withdraw(uint256 amount) external {
        uint256 yours = deposits[msg.sender];
        if (amount > yours) revert NotYours(amount, yours);
        deposits[msg.sender] = yours - amount;
        require(coin.transfer(msg.sender, amount));
    }
}
