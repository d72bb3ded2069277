//! The rows of the table of translations.

use crate::body_row::ratio;
use crate::chain::Chain;
use crate::script::Contract;
use anyhow::Context;
use parhelion_executor::evm::translation;
use parhelion_sdk::convert::to_h256;
use parhelion_wire::account::{Code, Translation};
use parhelion_wire::address::AccountKey;
use std::fmt;

/// What the translation of a contract's code takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TranslationRow {
    /// The contract.
    pub contract: String,
    /// Bytes of its code.
    pub code_bytes: u64,
    /// Bytes of the translation.
    pub bytes: u64,
    /// Solana transactions to make it.
    pub transactions: u64,
    /// Compute units of them all.
    pub compute_units: u64,
}

impl TranslationRow {
    /// Translates the code of a contract.
    ///
    /// # Errors
    /// When there is no such contract, or its translation does not get done.
    pub fn measure(chain: &Chain, contract: &Contract) -> anyhow::Result<Self> {
        let compute_units = chain.translate(contract.address)?;
        let hash = to_h256(chain.code_hash(contract.address)?);
        let data = |key: AccountKey| {
            let account = chain.account(&chain.address(&key));
            anyhow::Ok(account.context("the account is there")?.data)
        };
        let code = data(AccountKey::Code(hash))?;
        let code = Code::view(&code).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let account = data(AccountKey::Translation(hash, translation::VERSION))?;
        Ok(Self {
            contract: contract.name.into(),
            code_bytes: code.len() as u64,
            bytes: (account.len() - Translation::account_length(0)) as u64,
            transactions: compute_units.len() as u64,
            compute_units: compute_units.iter().sum(),
        })
    }

    /// The rows as a table.
    #[must_use]
    pub fn table(rows: &[Self]) -> String {
        let head = "| contract | code bytes | translation bytes | bytes per byte | Solana transactions | CU to translate \
                    |\n|---|---:|---:|---:|---:|---:|\n";
        rows.iter().map(Self::line).fold(head.to_owned(), |table, line| table + &line)
    }

    fn line(&self) -> String {
        let Self { contract, code_bytes, bytes, transactions, compute_units } = self;
        let density = ratio(*bytes, *code_bytes);
        format!("| {contract} | {code_bytes} | {bytes} | {density} | {transactions} | {compute_units} |\n")
    }

    /// Reads a line of [`Self::table`].
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [contract, code_bytes, bytes, _, transactions, compute_units] = cells[..] else { return None };
        Some(Self {
            contract: contract.into(),
            code_bytes: code_bytes.parse().ok()?,
            bytes: bytes.parse().ok()?,
            transactions: transactions.parse().ok()?,
            compute_units: compute_units.parse().ok()?,
        })
    }

    /// Whether code, translation and transactions are the same.
    #[must_use]
    pub fn has_same_shape(&self, other: &Self) -> bool {
        (self.code_bytes, self.bytes, self.transactions)
            == (other.code_bytes, other.bytes, other.transactions)
    }
}

impl fmt::Display for TranslationRow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} (translation)", self.contract)
    }
}
