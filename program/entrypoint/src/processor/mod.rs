//! The instructions, one file each.

mod configure;
mod deposit;
mod event;
mod execute;
mod holder;
mod initialize;
mod reserve;
mod signature;
mod steps;
mod translate;

use crate::input::Input;
use parhelion_wire::ProgramError;
use parhelion_wire::instruction::tag;

/// Runs the instruction that the first data byte names.
///
/// # Errors
/// The instruction's own, and [`ProgramError::UnknownInstruction`].
pub(crate) fn process(input: &Input<'_>) -> Result<(), ProgramError> {
    let (&first, data) = input.data.split_first().ok_or(ProgramError::UnknownInstruction)?;
    match first {
        tag::EVENT => event::process(input),
        tag::EXECUTE => execute::process(input, data),
        tag::EXECUTE_FROM_HOLDER => execute::process_from_holder(input, data),
        tag::STEP => steps::step(input, data),
        tag::BEGIN => steps::begin(input, data),
        tag::LOCK => steps::lock(input, data),
        tag::CANCEL => steps::cancel(input, data),
        tag::HOLDER_WRITE => holder::write(input, data),
        tag::HOLDER_CREATE => holder::create(input, data),
        tag::HOLDER_CLOSE => holder::close(input, data),
        tag::CODE_RESERVE => reserve::reserve(input, data),
        tag::CODE_RELEASE => reserve::release(input, data),
        tag::TRANSLATE => translate::translate(input, data),
        tag::TRANSLATION_CLOSE => translate::close(input, data),
        tag::DEPOSIT => deposit::process(input, data),
        tag::CONFIGURE => configure::process(input, data),
        tag::INITIALIZE => initialize::process(input, data),
        _ => Err(ProgramError::UnknownInstruction),
    }
}
