//! Uniswap V2, as it was deployed: factory, pairs, router.

use super::token;
use crate::contracts;
use crate::script::{OWNER, Script, wallet};
use alloy_primitives::{Address, U256, keccak256};
use alloy_sol_types::{SolValue, sol};

sol! {
    /// A pair of two tokens.
    function createPair(address a, address b) external returns (address pair);
    /// Shares for what the pair was given.
    function mint(address to) external returns (uint256 liquidity);
    /// Tokens for what the pair was given.
    function swap(uint256 amount0Out, uint256 amount1Out, address to, bytes data) external;
    /// The same, with the transfers.
    function swapExactTokensForTokens(
        uint256 amountIn, uint256 amountOutMin, address[] path, address to, uint256 deadline
    ) external returns (uint256[] amounts);
}

/// What each token of the pair has.
const RESERVE: u64 = 10_000_000;
/// What is swapped.
const AMOUNT: u64 = 1_000;

/// Two pairs, of which the second finds the code deployed; the first mint; swaps.
pub(super) fn script() -> anyhow::Result<Script> {
    let mut script = Script::default();
    let owner = wallet(OWNER);
    let init_code =
        |name: &str, arguments: Vec<u8>| anyhow::Ok([&contracts::init_code(name)?[..], &arguments].concat());
    let factory = script.deploy(init_code("UniswapV2Factory", owner.abi_encode())?);
    let weth = script.deploy(init_code("WETH9", Vec::new())?);
    let router = script.deploy(init_code("UniswapV2Router02", (factory, weth).abi_encode_params())?);
    let [a, b, c] = [(); 3].map(|()| token::init_code("OptimisedToken"));
    let [a, b, c] = [script.deploy(a?), script.deploy(b?), script.deploy(c?)];
    let pair = pair_address(factory, a, b)?;

    script.call(OWNER, factory, &createPairCall { a, b }).measured("Uniswap V2 createPair, the first");
    script.contracts.push(pair);
    script.call(OWNER, factory, &createPairCall { a, b: c }).measured("Uniswap V2 createPair");
    for token in [a, b] {
        give(&mut script, token, pair, RESERVE);
    }
    script.call(OWNER, pair, &mintCall { to: owner }).measured("Uniswap V2 first mint");
    // The first swap creates the cumulative prices; the second is as all others.
    for workload in ["Uniswap V2 swap on the pair, the first", "Uniswap V2 swap on the pair"] {
        give(&mut script, a, pair, AMOUNT);
        script.call(OWNER, pair, &swap(a < b, owner)).measured(workload);
    }
    let approval = token::approveCall { spender: router, value: U256::MAX };
    script.call(OWNER, a, &approval);
    let routed = swapExactTokensForTokensCall {
        amountIn: U256::from(AMOUNT),
        amountOutMin: U256::ONE,
        path: vec![a, b],
        to: owner,
        deadline: U256::from(u32::MAX),
    };
    script.call(OWNER, router, &routed).measured("Uniswap V2 swap through the router");
    Ok(script)
}

fn give(script: &mut Script, token: Address, to: Address, value: u64) {
    script.call(OWNER, token, &token::transferCall { to, value: U256::from(value) });
}

/// A swap for a little less than the pair would give.
fn swap(is_first_given: bool, to: Address) -> swapCall {
    let out = U256::from(AMOUNT * 99 / 100);
    let (amount0_out, amount1_out) = if is_first_given { (U256::ZERO, out) } else { (out, U256::ZERO) };
    swapCall { amount0Out: amount0_out, amount1Out: amount1_out, to, data: Default::default() }
}

/// Where the factory creates a pair. The router computes the same from the hash of the pair's init code.
fn pair_address(factory: Address, a: Address, b: Address) -> anyhow::Result<Address> {
    let (first, second) = if a < b { (a, b) } else { (b, a) };
    let salt = keccak256((first, second).abi_encode_packed());
    Ok(factory.create2(salt, keccak256(contracts::init_code("UniswapV2Pair")?)))
}
