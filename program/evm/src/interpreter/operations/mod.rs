//! Everything that is not hot: one short function an operation.

mod calls;
mod copies;
mod ending;
mod environment;
mod state;

use super::context::{Context, Result};
use crate::arith;
use crate::exit::Exit;
use crate::fork::Fork;
use crate::host::Host;
use crate::opcode as op;

/// Runs an operation whose position, stack and gas are in the frame.
#[inline(never)]
pub(super) fn run<H: Host>(opcode: u8, cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let Some(info) = op::TABLE[usize::from(opcode)] else { return Err(Exit::InvalidOpcode.into()) };
    cx.charge(i64::from(info.gas))?;
    match opcode {
        op::STOP => Err(Exit::Stop.into()),
        op::DIV => binary(cx, arith::div),
        op::SDIV => binary(cx, arith::sdiv),
        op::MOD => binary(cx, arith::rem),
        op::SMOD => binary(cx, arith::smod),
        op::ADDMOD => ternary(cx, arith::addmod),
        op::MULMOD => ternary(cx, arith::mulmod),
        op::EXP => exp(cx),
        op::SIGNEXTEND => binary(cx, arith::signextend),
        op::CLZ if cx.host.env().fork >= Fork::Osaka => {
            let value = cx.pop()?;
            cx.push(&arith::clz(&value))
        }
        op::KECCAK256 => copies::keccak256(cx),
        op::ADDRESS => {
            let address = cx.frame.input.address;
            cx.push_address(&address)
        }
        op::BALANCE => environment::balance(cx),
        op::ORIGIN => {
            let origin = cx.host.env().origin;
            cx.push_address(&origin)
        }
        op::CALLDATACOPY => copies::calldatacopy(cx),
        op::CODESIZE => {
            let length = cx.frame.input.code.bytes().len();
            cx.push_u64(length as u64)
        }
        op::CODECOPY => copies::codecopy(cx),
        op::GASPRICE => {
            let price = cx.host.env().gas_price;
            cx.push(&price)
        }
        op::EXTCODESIZE => environment::extcodesize(cx),
        op::EXTCODECOPY => copies::extcodecopy(cx),
        op::RETURNDATASIZE => {
            let length = cx.machine.return_data.len();
            cx.push_u64(length as u64)
        }
        op::RETURNDATACOPY => copies::returndatacopy(cx),
        op::EXTCODEHASH => environment::extcodehash(cx),
        op::BLOCKHASH => environment::blockhash(cx),
        op::COINBASE => {
            let coinbase = cx.host.env().coinbase;
            cx.push_address(&coinbase)
        }
        op::TIMESTAMP => {
            let timestamp = cx.host.env().timestamp;
            cx.push_u64(timestamp)
        }
        op::NUMBER => {
            let number = cx.host.env().number;
            cx.push_u64(number)
        }
        op::PREVRANDAO => environment::prevrandao(cx),
        op::GASLIMIT => {
            let limit = cx.host.env().gas_limit;
            cx.push_u64(limit)
        }
        op::CHAINID => {
            let id = cx.host.env().chain_id;
            cx.push_u64(id)
        }
        op::SELFBALANCE => environment::selfbalance(cx),
        op::BASEFEE => {
            let fee = cx.host.env().base_fee;
            cx.push(&fee)
        }
        // EIP-4844: an index without a blob gives zero, and no transaction here has blobs.
        op::BLOBHASH => {
            cx.pop()?;
            cx.push_u64(0)
        }
        op::BLOBBASEFEE => {
            let fee = cx.host.env().blob_base_fee;
            cx.push(&fee)
        }
        op::MSTORE8 => copies::mstore8(cx),
        op::SLOAD => state::sload(cx),
        op::SSTORE => state::sstore(cx),
        op::MSIZE => {
            let length = cx.frame.memory_length;
            cx.push_u64(length as u64)
        }
        op::TLOAD => state::tload(cx),
        op::TSTORE => state::tstore(cx),
        op::MCOPY => copies::mcopy(cx),
        op::LOG0..=op::LOG4 => state::log(cx, opcode - op::LOG0),
        op::CREATE => calls::create(cx, false),
        op::CREATE2 => calls::create(cx, true),
        op::CALL | op::CALLCODE | op::DELEGATECALL | op::STATICCALL => calls::call(cx, opcode),
        op::RETURN => ending::returning(cx, Exit::Return),
        op::REVERT => ending::returning(cx, Exit::Revert),
        op::SELFDESTRUCT => ending::selfdestruct(cx),
        _ => Err(Exit::InvalidOpcode.into()),
    }
}

fn binary<H: Host>(
    cx: &mut Context<'_, '_, '_, H>,
    function: fn(&crate::U256, &crate::U256) -> crate::U256,
) -> Result<(), H::Error> {
    let (a, b) = (cx.pop()?, cx.pop()?);
    cx.push(&function(&a, &b))
}

fn ternary<H: Host>(
    cx: &mut Context<'_, '_, '_, H>,
    function: fn(&crate::U256, &crate::U256, &crate::U256) -> crate::U256,
) -> Result<(), H::Error> {
    let (a, b, n) = (cx.pop()?, cx.pop()?, cx.pop()?);
    cx.push(&function(&a, &b, &n))
}

/// EXP: 50 gas a byte of the exponent (EIP-160).
fn exp<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let (base, exponent) = (cx.pop()?, cx.pop()?);
    cx.charge(crate::gas::EXP_BYTE * arith::byte_len(&exponent) as i64)?;
    cx.push(&arith::exp(&base, &exponent))
}
