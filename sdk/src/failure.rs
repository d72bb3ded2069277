//! What a failed Solana transaction says about the program.

use parhelion_wire::ProgramError;
use solana_address::Address;
use solana_instruction::error::InstructionError;
use solana_message::VersionedMessage;
use solana_transaction_error::TransactionError;

/// The number with which the program refused, if the instruction that failed is one of its own.
///
/// Every program numbers its errors from 0, so the number of another program's instruction means something else.
/// An error of a program that the program itself invoked (the System program, when the payer has too few lamports)
/// cannot be told from one of its own; the transaction's logs name it.
#[must_use]
pub fn custom_code(
    error: &TransactionError,
    message: &VersionedMessage,
    program_id: &Address,
) -> Option<u32> {
    let TransactionError::InstructionError(index, InstructionError::Custom(code)) = error else {
        return None;
    };
    let instruction = message.instructions().get(usize::from(*index))?;
    let program = message.static_account_keys().get(usize::from(instruction.program_id_index))?;
    (program == program_id).then_some(*code)
}

/// Why a transaction failed, for people: in the program's words where it refused.
#[must_use]
pub fn describe(error: &TransactionError, code: Option<u32>) -> String {
    match code.and_then(ProgramError::from_code) {
        Some(refusal) => format!("{} ({})", refusal.text(), refusal.name()),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::{Budget, Format, compile};
    use solana_hash::Hash;
    use solana_instruction::Instruction;

    #[test]
    fn only_the_programs_own_numbers_count() {
        let program = Address::new_from_array([1; 32]);
        let other = Address::new_from_array([2; 32]);
        let instruction = |program_id| Instruction { program_id, accounts: vec![], data: vec![] };
        let instructions = [instruction(other), instruction(program)];
        let payer = Address::new_from_array([3; 32]);
        let message =
            compile(&instructions, &payer, Hash::default(), &Budget::MAX, Format::V1).expect("valid");
        let failed = |index, error| TransactionError::InstructionError(index, error);
        let code = |error: &TransactionError| custom_code(error, &message, &program);
        let refused = failed(1, InstructionError::Custom(ProgramError::NonceTooLow as u32));
        assert_eq!(code(&refused), Some(46));
        assert_eq!(describe(&refused, code(&refused)), "nonce too low (NonceTooLow)");
        for error in [
            failed(0, InstructionError::Custom(46)),
            failed(1, InstructionError::ComputationalBudgetExceeded),
            failed(9, InstructionError::Custom(46)),
            TransactionError::BlockhashNotFound,
        ] {
            assert_eq!(code(&error), None);
            assert_eq!(describe(&error, None), error.to_string());
        }
    }
}
