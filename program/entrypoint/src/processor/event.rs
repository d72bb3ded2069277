//! event: carries a report; its data is for clients, and there is nothing to do.

use crate::input::Input;
use parhelion_wire::ProgramError;
use parhelion_wire::account::{Config, Layout};

/// Accepts an event from the program itself: Config signs, which only the program can make it do.
pub(super) fn process(input: &Input<'_>) -> Result<(), ProgramError> {
    let [config] = input.first()?;
    let is_config = config.is_owned_by(input.program_id) && Config::view(config.data()).is_ok();
    if config.is_signer() && is_config { Ok(()) } else { Err(ProgramError::EventNotFromProgram) }
}
