//! Calls and creations: their gas, and the request for a frame.

use super::super::context::{Context, Result, Stop};
use super::super::frame::{Input, Output};
use super::super::{CallRequest, CallScheme, CreateRequest};
use crate::exit::Exit;
use crate::host::Host;
use crate::opcode as op;
use crate::{H160, U256, arith, gas};
use alloc::boxed::Box;

/// CALL, CALLCODE, DELEGATECALL and STATICCALL.
pub(crate) fn call<H: Host>(cx: &mut Context<'_, '_, '_, H>, opcode: u8) -> Result<(), H::Error> {
    let scheme = match opcode {
        op::CALLCODE => CallScheme::CallCode,
        op::DELEGATECALL => CallScheme::DelegateCall,
        op::STATICCALL => CallScheme::StaticCall,
        _ => CallScheme::Call,
    };
    let requested = arith::as_u64_saturating(&cx.pop()?);
    let target = cx.pop_address()?;
    let value = match scheme {
        CallScheme::Call | CallScheme::CallCode => cx.pop()?,
        CallScheme::DelegateCall | CallScheme::StaticCall => U256::zero(),
    };
    if scheme == CallScheme::Call && !value.is_zero() {
        cx.require_mutable()?;
    }
    let (input, output) = pop_ranges(cx)?;
    cx.expand_memory(&[input, output])?;
    charge_target(cx, scheme, &target, &value)?;

    let mut gas = all_but_one_64th(cx.frame.input.gas).min(requested.min(gas::LIMIT_MAX) as i64);
    cx.charge(gas)?;
    if !value.is_zero() {
        gas += gas::CALL_STIPEND;
    }
    let frame = &cx.frame.input;
    let (address, caller, value) = match scheme {
        CallScheme::Call | CallScheme::StaticCall => (target, frame.address, value),
        CallScheme::CallCode => (frame.address, frame.address, value),
        CallScheme::DelegateCall => (frame.address, frame.caller, frame.value),
    };
    let is_static = frame.is_static || scheme == CallScheme::StaticCall;
    let transfers = matches!(scheme, CallScheme::Call | CallScheme::CallCode);
    let input = memory_input(cx.in_machine(input));
    cx.frame.expect_output(output.start, output.length);
    let request = CallRequest {
        scheme,
        gas,
        code_address: target,
        address,
        caller,
        value,
        transfers,
        is_static,
        input,
    };
    Err(Stop::Call(Box::new(request)))
}

/// Pops where a call's input and output lie in memory.
fn pop_ranges<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(Output, Output), H::Error> {
    let (input_offset, input_length) = (cx.pop()?, cx.pop()?);
    let (output_offset, output_length) = (cx.pop()?, cx.pop()?);
    Ok((cx.range(&input_offset, &input_length)?, cx.range(&output_offset, &output_length)?))
}

/// Charges what a call costs for its target: access (EIP-2929), delegation (EIP-7702), value, a new account.
fn charge_target<H: Host>(
    cx: &mut Context<'_, '_, '_, H>,
    scheme: CallScheme,
    target: &H160,
    value: &U256,
) -> Result<(), H::Error> {
    cx.charge_account_access(target)?;
    if !value.is_zero() {
        cx.charge(gas::CALL_VALUE)?;
    }
    if let Some(delegate) = cx.host.delegate(target).map_err(Stop::Host)? {
        cx.charge_account_access(&delegate)?;
    }
    if scheme == CallScheme::Call && !value.is_zero() && cx.host.is_empty(target).map_err(Stop::Host)? {
        cx.charge(gas::NEW_ACCOUNT)?;
    }
    Ok(())
}

/// CREATE and CREATE2.
pub(crate) fn create<H: Host>(cx: &mut Context<'_, '_, '_, H>, with_salt: bool) -> Result<(), H::Error> {
    cx.require_mutable()?;
    let value = cx.pop()?;
    let (offset, length) = (cx.pop()?, cx.pop()?);
    let salt = if with_salt { Some(cx.pop()?) } else { None };
    let range = cx.range(&offset, &length)?;
    if range.length > gas::INIT_CODE_SIZE_MAX {
        return Err(Exit::InitCodeTooLarge.into());
    }
    // EIP-3860, and for CREATE2 the hash of the init code (EIP-1014).
    let word = gas::INIT_CODE_WORD + if with_salt { gas::KECCAK256_WORD } else { 0 };
    cx.charge(gas::per_word(word, range.length as u64))?;
    cx.expand_memory(&[range])?;
    let gas = all_but_one_64th(cx.frame.input.gas);
    cx.charge(gas)?;
    let init_code = cx.in_machine(range);
    cx.frame.expect_output(0, 0);
    let request = CreateRequest { gas, creator: cx.frame.input.address, value, salt, init_code };
    Err(Stop::Create(Box::new(request)))
}

/// EIP-150: what a frame may hand on.
const fn all_but_one_64th(gas: i64) -> i64 {
    gas - gas / 64
}

/// A range of the machine's memory as input of a frame.
const fn memory_input(range: Output) -> Input<'static> {
    Input::Memory { start: range.start, length: range.length }
}
