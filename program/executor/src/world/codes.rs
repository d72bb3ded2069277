//! Code that runs, and code that creations leave behind.

use super::World;
use super::accounts::{CodeOf, EMPTY_CODE_HASH, Id};
use crate::ledger::Ledger;
use crate::{ProgramError, Result};
use alloc::rc::Rc;
use alloc::vec::Vec;
use parhelion_evm::crypto::Crypto;
use parhelion_evm::interpreter::Code;
use parhelion_evm::translation::Translation;
use parhelion_evm::{H160, H256, jump_map};
use parhelion_wire::account::Code as CodeAccount;
use parhelion_wire::address::AccountKey;
use parhelion_wire::stored::{Reader, Writer};

/// The code of an EIP-7702 delegation: 0xef0100 and the delegate.
pub(crate) const DELEGATION_LENGTH: usize = 23;

/// A code that a creation in this transaction deployed.
#[derive(Debug)]
struct NewCode {
    hash: H256,
    /// The code with its padding: it may run in the same transaction.
    padded: Rc<Vec<u8>>,
}

impl NewCode {
    fn bytes(&self) -> &[u8] {
        self.padded.get(..self.padded.len().saturating_sub(Code::PADDING)).unwrap_or_default()
    }
}

/// The codes at hand.
#[derive(Debug)]
pub(super) struct Codes<'c> {
    new: Vec<NewCode>,
    /// Bytes of init code and deployed code so far, and of the jump maps of those that ran.
    bytes: usize,
    /// Stored codes that were loaded: few, so a list.
    loaded: Vec<CodeAccount<'c>>,
    /// The designator of the delegation that was asked for last.
    delegation: [u8; DELEGATION_LENGTH],
}

impl Codes<'_> {
    pub(super) const fn new() -> Self {
        Self { new: Vec::new(), bytes: 0, loaded: Vec::new(), delegation: [0; DELEGATION_LENGTH] }
    }

    /// Writes the deployed codes into a checkpoint. Stored codes are found again by their hashes.
    pub(super) fn put(&self, out: &mut Writer<'_>) -> Result<()> {
        out.put(&(self.new.len() as u16))?;
        for code in &self.new {
            out.put(&code.hash)?;
            out.counted(code.bytes())?;
        }
        Ok(())
    }

    /// Reads the deployed codes of a checkpoint.
    pub(super) fn take(&mut self, input: &mut Reader<'_>) -> Result<()> {
        let count: u16 = input.take()?;
        for _ in 0..count {
            let (hash, code) = (input.take()?, input.counted()?);
            self.bytes = self.bytes.saturating_add(code.len());
            self.new.push(NewCode { hash, padded: Rc::new(Code::pad(code)) });
        }
        Ok(())
    }
}

impl<'c, L: Ledger<'c>, C: Crypto> World<'c, L, C> {
    /// Counts bytes of init code or deployed code against the limit.
    pub(crate) fn count_code_bytes(&mut self, length: usize) -> Result<()> {
        self.codes.bytes = self.codes.bytes.saturating_add(length);
        if self.codes.bytes > self.limits.code_bytes { Err(ProgramError::HeapLimit) } else { Ok(()) }
    }

    /// Code that a call of an account runs: its own, or its delegate's (EIP-7702).
    pub(crate) fn code_to_run(&mut self, id: Id) -> Result<(Code<'c>, CodeOf)> {
        let code = match self.load_code_of(id)? {
            // A delegation is followed once; a delegate that is itself a delegation runs as its designator's bytes,
            // which begin with the invalid opcode 0xef.
            CodeOf::Delegate(delegate) => self.load_contract(&delegate)?.1,
            other => other,
        };
        Ok((self.runnable(code)?, code))
    }

    /// A code, prepared to run.
    pub(crate) fn runnable(&mut self, code: CodeOf) -> Result<Code<'c>> {
        match code {
            CodeOf::None => Ok(Code::Empty),
            CodeOf::Hash(hash) => self.code_by_hash(hash),
            CodeOf::Delegate(delegate) => Ok(Code::init(&designator(&delegate))),
        }
    }

    /// The code with a hash, prepared to run.
    fn code_by_hash(&mut self, hash: H256) -> Result<Code<'c>> {
        if hash == EMPTY_CODE_HASH {
            return Ok(Code::Empty);
        }
        if let Some(new) = self.codes.new.iter().find(|code| code.hash == hash) {
            let code = Code::unstored(&new.padded);
            self.count_code_bytes(jump_map::length(code.bytes().len()))?;
            return Ok(code);
        }
        let code = self.stored_code(hash)?;
        let translation =
            self.ledger.translation(&hash).and_then(|bytes| Translation::new(bytes, code.len()));
        Ok(Code::stored(code.padded_code(), code.jump_map(), code.len(), translation))
    }

    /// A code from its account.
    fn stored_code(&mut self, hash: H256) -> Result<CodeAccount<'c>> {
        if let Some(code) = self.codes.loaded.iter().find(|code| code.hash() == hash) {
            return Ok(*code);
        }
        let account = self.ledger.load(&AccountKey::Code(hash))?;
        let code = CodeAccount::view(self.ledger.code(account))?;
        if code.hash() != hash {
            // Two codes whose hashes differ in the bits that the address leaves out.
            return Err(ProgramError::WrongAddress);
        }
        self.codes.loaded.push(code);
        Ok(code)
    }

    /// An account's code as other contracts see it.
    pub(crate) fn visible_code(&mut self, address: &H160) -> Result<&[u8]> {
        match self.load_contract(address)?.1 {
            CodeOf::None => Ok(&[]),
            CodeOf::Delegate(delegate) => {
                self.codes.delegation = designator(&delegate);
                Ok(&self.codes.delegation)
            }
            CodeOf::Hash(hash) if hash == EMPTY_CODE_HASH => Ok(&[]),
            CodeOf::Hash(hash) => {
                if let Some(position) = self.codes.new.iter().position(|code| code.hash == hash) {
                    return Ok(self.codes.new.get(position).map_or(&[], NewCode::bytes));
                }
                Ok(self.stored_code(hash)?.code())
            }
        }
    }

    /// Gives a created account its code.
    pub(crate) fn deploy(&mut self, id: Id, code: &[u8]) -> Result<()> {
        if code.is_empty() {
            return Ok(());
        }
        self.count_code_bytes(code.len())?;
        let hash = H256(self.crypto.keccak256(&[code]));
        if !self.codes.new.iter().any(|new| new.hash == hash) {
            self.codes.new.push(NewCode { hash, padded: Rc::new(Code::pad(code)) });
        }
        self.change(id)?.code = CodeOf::Hash(hash);
        Ok(())
    }

    /// A code that this transaction deployed.
    pub(crate) fn deployed_code(&self, hash: &H256) -> Option<&[u8]> {
        self.codes.new.iter().find(|code| code.hash == *hash).map(NewCode::bytes)
    }
}

/// The code of a delegation (EIP-7702).
pub(crate) fn designator(delegate: &H160) -> [u8; DELEGATION_LENGTH] {
    let mut code = [0xef, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    code[3..].copy_from_slice(&delegate.0);
    code
}
