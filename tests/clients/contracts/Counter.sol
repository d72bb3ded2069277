// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity ^0.8.30;

/// One small contract with everything that a client has to encode, decode or display.
contract Counter {
    event Changed(address indexed by, uint256 from, uint256 to);
    event Received(address indexed from, uint256 value);
    event FellBack(address indexed from, uint256 value, bytes data);

    error Forbidden(address caller, uint256 code);
    error PaymentFailed();

    address public immutable owner;
    uint256 public immutable step;
    uint256 public count;
    uint256 transient depth;

    constructor(uint256 step_) payable {
        owner = msg.sender;
        step = step_;
    }

    receive() external payable {
        emit Received(msg.sender, msg.value);
    }

    fallback() external payable {
        emit FellBack(msg.sender, msg.value, msg.data);
    }

    function increment() external returns (uint256) {
        emit Changed(msg.sender, count, count + step);
        return count += step;
    }

    /// Pays out of the contract's balance by CALL.
    function pay(address payable to, uint256 value) external {
        (bool done,) = to.call{value: value}("");
        if (!done) revert PaymentFailed();
    }

    function failWithReason() external payable {
        count += 1;
        require(false, "the reason");
    }

    function failWithCustomError(uint256 code) external payable {
        count += 1;
        revert Forbidden(msg.sender, code);
    }

    function failWithPanic(uint256 x) external view returns (uint256) {
        return count - x - type(uint256).max;
    }

    function failSilently() external pure {
        assembly {
            revert(0, 0)
        }
    }

    function failWithInvalidOpcode() external pure {
        assembly {
            invalid()
        }
    }

    /// Uses TSTORE, TLOAD, MCOPY and CLZ, so that a node of an older fork fails visibly.
    function osaka(bytes calldata data, uint256 word) external returns (bytes memory copy, uint256 zeros) {
        depth += data.length;
        copy = new bytes(depth);
        bytes memory source = data;
        assembly {
            mcopy(add(copy, 0x20), add(source, 0x20), mload(source))
            zeros := clz(word)
        }
    }

    /// Computes for a time proportional to `rounds`, without touching state until its end.
    function spin(uint256 rounds) external returns (bytes32 digest) {
        for (uint256 i = 0; i < rounds; i++) digest = keccak256(abi.encode(digest, i));
        count = uint256(digest);
    }
}

/// What the factory deploys: its address depends on the salt and on the constructor argument.
contract Child {
    uint256 public immutable tag;

    constructor(uint256 tag_) payable {
        tag = tag_;
    }
}

contract Factory {
    event Deployed(address indexed child, bytes32 indexed salt);

    function deploy(bytes32 salt, uint256 tag) external payable returns (address child) {
        child = address(new Child{salt: salt, value: msg.value}(tag));
        emit Deployed(child, salt);
    }

    function childCode(uint256 tag) external pure returns (bytes memory) {
        return abi.encodePacked(type(Child).creationCode, tag);
    }
}
