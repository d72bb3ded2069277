// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {ERC1155Supply} from "@openzeppelin/contracts/token/ERC1155/extensions/ERC1155Supply.sol";
import {ERC1155Holder} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Holder.sol";

/// The ERC-1155 of OpenZeppelin, which counts its supply.
contract Erc1155 is ERC1155, ERC1155Supply, Ownable {
    constructor() ERC1155("ipfs://workload/{id}.json") Ownable(msg.sender) {}

    function mintBatch(address to, uint256[] memory ids, uint256[] memory values, bytes memory data)
        external
        onlyOwner
    {
        _mintBatch(to, ids, values, data);
    }

    function _update(address from, address to, uint256[] memory ids, uint256[] memory values)
        internal
        override(ERC1155, ERC1155Supply)
    {
        super._update(from, to, ids, values);
    }
}

/// A contract that accepts such tokens, so that transfers to it call back.
contract Erc1155Vault is ERC1155Holder {}
