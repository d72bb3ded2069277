//! Calls and creations: their gas, and the request for a frame.

use super::super::Interrupt;
use super::super::context::{Context, Result, range};
use super::super::frame::{Output, Request};
use super::super::{CallRequest, CallScheme, CreateRequest};
use crate::exit::Exit;
use crate::host::Host;
use crate::opcode as op;
use crate::{H160, U256, arith, gas, to_address};

/// CALL, CALLCODE, DELEGATECALL and STATICCALL.
pub(crate) fn call<H: Host>(cx: &mut Context<'_, '_, '_, H>, opcode: u8) -> Result<(), H::Error> {
    let (scheme, arguments) = match opcode {
        op::CALLCODE => (CallScheme::CallCode, pop_with_value(cx)?),
        op::DELEGATECALL => (CallScheme::DelegateCall, pop_without_value(cx)?),
        op::STATICCALL => (CallScheme::StaticCall, pop_without_value(cx)?),
        _ => (CallScheme::Call, pop_with_value(cx)?),
    };
    let Arguments { requested, target, value, input, output } = arguments;
    if scheme == CallScheme::Call && !value.is_zero() {
        cx.require_mutable()?;
    }
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
    let input = cx.in_machine(input);
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
    cx.frame.ask(Request::Call(request));
    Err(Interrupt::Call)
}

/// What a call finds on the stack.
struct Arguments {
    /// Gas.
    requested: u64,
    target: H160,
    value: U256,
    /// Where the call data lies in memory, and where the output goes.
    input: Output,
    output: Output,
}

fn pop_with_value<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<Arguments, H::Error> {
    let [ranges @ .., value, target, requested] = cx.pop_words::<7>()?;
    arguments(requested, target, *value, ranges)
}

fn pop_without_value<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<Arguments, H::Error> {
    let [ranges @ .., target, requested] = cx.pop_words::<6>()?;
    arguments(requested, target, U256([0; 4]), ranges)
}

#[inline(always)]
fn arguments<E>(requested: &U256, target: &U256, value: U256, ranges: &[U256; 4]) -> Result<Arguments, E> {
    let [output_length, output_offset, input_length, input_offset] = ranges;
    Ok(Arguments {
        requested: arith::as_u64_saturating(requested),
        target: to_address(target),
        value,
        input: range(input_offset, input_length)?,
        output: range(output_offset, output_length)?,
    })
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
    if let Some(delegate) = cx.host.delegate(target).map_err(Interrupt::Host)? {
        cx.charge_account_access(&delegate)?;
    }
    if scheme == CallScheme::Call && !value.is_zero() && cx.host.is_empty(target).map_err(Interrupt::Host)? {
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
    let range = range(&offset, &length)?;
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
    cx.frame.ask(Request::Create(request));
    Err(Interrupt::Create)
}

/// EIP-150: what a frame may hand on.
const fn all_but_one_64th(gas: i64) -> i64 {
    gas - gas / 64
}
