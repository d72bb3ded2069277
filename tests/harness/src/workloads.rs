//! The workloads of the CU table.

use crate::chain::{Chain, Done, Proof, SOL};
use crate::contracts;
use crate::wallet::Wallet;
use alloy_primitives::U256;
use alloy_sol_types::{SolCall, SolValue, sol};
use anyhow::ensure;
use std::fmt;

sol! {
    function transfer(address to, uint256 value) external returns (bool);
    function approve(address spender, uint256 value) external returns (bool);
    function transferFrom(address from, address to, uint256 value) external returns (bool);
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What was run.
    pub workload: String,
    /// How the signature was proven.
    pub proof: String,
    /// Whether the contract's code ran as it is or translated; `–` where no code ran.
    pub code: String,
    /// Compute units of the executing Solana transaction.
    pub compute_units: u64,
    /// Compute units of all Solana transactions.
    pub compute_units_in_all: u64,
    /// Solana transactions.
    pub transactions: u64,
    /// Accounts that the executing transaction locks.
    pub accounts: u64,
    /// Bytes of rent for what was created.
    pub rent_bytes: u64,
}

impl Row {
    /// The rows as a table.
    #[must_use]
    pub fn table(rows: &[Self]) -> String {
        let head = "| workload | signature | code | CU | CU in all | Solana transactions | accounts | rent bytes |\n\
                    |---|---|---|---:|---:|---:|---:|---:|\n";
        let line = |row: &Self| {
            format!(
                "| {} | {} | {} | {} | {} | {} | {} | {} |\n",
                row.workload,
                row.proof,
                row.code,
                row.compute_units,
                row.compute_units_in_all,
                row.transactions,
                row.accounts,
                row.rent_bytes
            )
        };
        rows.iter().map(line).fold(head.to_owned(), |table, line| table + &line)
    }

    /// Reads a line of [`Self::table`].
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [workload, proof, code, compute_units, compute_units_in_all, transactions, accounts, rent_bytes] =
            cells[..]
        else {
            return None;
        };
        Some(Self {
            workload: workload.into(),
            proof: proof.into(),
            code: code.into(),
            compute_units: compute_units.parse().ok()?,
            compute_units_in_all: compute_units_in_all.parse().ok()?,
            transactions: transactions.parse().ok()?,
            accounts: accounts.parse().ok()?,
            rent_bytes: rent_bytes.parse().ok()?,
        })
    }

    /// Whether both rows measure the same.
    #[must_use]
    pub fn is_same_workload(&self, other: &Self) -> bool {
        (&self.workload, &self.proof, &self.code) == (&other.workload, &other.proof, &other.code)
    }

    /// Whether transactions, accounts and rent are the same.
    #[must_use]
    pub fn has_same_shape(&self, other: &Self) -> bool {
        (self.transactions, self.accounts, self.rent_bytes)
            == (other.transactions, other.accounts, other.rent_bytes)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({}, {})", self.workload, self.proof, self.code)
    }
}

/// Gas for everything here, rent included.
const GAS: u64 = 60_000_000;

/// Runs all workloads by both proofs, each on a chain of its own.
///
/// # Errors
/// When one does not do what it should.
pub fn measure() -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for proof in [Proof::Planned, Proof::Syscall] {
        native(proof, &mut rows)?;
        token(proof, &mut rows)?;
    }
    Ok(rows)
}

fn row(chain: &Chain, workload: &str, proof: Proof, done: &Done) -> anyhow::Result<Row> {
    ensure!(done.receipt.outcome.is_success(), "{workload}: {:?}", done.receipt);
    // With a base fee of 1 gwei and no tip, a unit of rent gas is a lamport.
    let rent_bytes = done.receipt.rent_gas / chain.rent_per_byte()?;
    let proof = match (proof, done.transactions) {
        (Proof::Planned, 1) => "secp256k1 instruction",
        _ => "syscall",
    };
    Ok(Row {
        workload: workload.into(),
        proof: proof.into(),
        code: "–".into(),
        compute_units: done.compute_units,
        compute_units_in_all: done.compute_units_in_all,
        transactions: done.transactions as u64,
        accounts: done.accounts as u64,
        rent_bytes,
    })
}

/// Native transfers.
fn native(proof: Proof, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let mut chain = Chain::new()?;
    let mut wallet = Wallet::new(1);
    chain.deposit(wallet.address(), 100 * SOL)?;
    let to = Wallet::new(2).address();
    for workload in ["native transfer, fresh address", "native transfer"] {
        let done = chain.run_with(&wallet.send(Some(to), U256::from(5), [], GAS), proof)?;
        rows.push(row(&chain, workload, proof, &done)?);
    }
    Ok(())
}

/// An OpenZeppelin ERC-20.
fn token(proof: Proof, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let mut chain = Chain::new()?;
    let mut owner = Wallet::new(1);
    chain.deposit(owner.address(), 100 * SOL)?;
    let supply = U256::from(1_000_000_000u64);
    let init_code = [&contracts::init_code("Token")?[..], &supply.abi_encode()].concat();
    let token = owner.address().create(0);
    let done = chain.run_with(&owner.send(None, U256::ZERO, init_code, GAS), Proof::Planned)?;
    if proof == Proof::Planned {
        rows.push(row(&chain, "ERC-20 deployment", proof, &done)?);
    }
    // A holder and a spender of its own for each, so that both create the same state.
    for (form, holder, spender) in [("plain", 3, 4), ("translated", 5, 6)] {
        let (holder, from) = (Wallet::new(holder).address(), owner.address());
        let mut spender = Wallet::new(spender);
        chain.deposit(spender.address(), 100 * SOL)?;
        if form == "translated" {
            chain.translate(token)?;
        }
        let mut call = |rows: &mut Vec<Row>, wallet: &mut Wallet, workload: &str, data: Vec<u8>| {
            let done = chain.run_with(&wallet.send(Some(token), U256::ZERO, data, GAS), proof)?;
            rows.push(Row { code: form.into(), ..row(&chain, workload, proof, &done)? });
            anyhow::Ok(())
        };
        let to_holder = |value: u64| transferCall { to: holder, value: U256::from(value) }.abi_encode();
        call(rows, &mut owner, "ERC-20 transfer, fresh holder", to_holder(5))?;
        call(rows, &mut owner, "ERC-20 transfer", to_holder(5))?;
        let approval = approveCall { spender: spender.address(), value: U256::from(1000) }.abi_encode();
        call(rows, &mut owner, "ERC-20 approve", approval)?;
        let taking = transferFromCall { from, to: holder, value: U256::from(10) }.abi_encode();
        call(rows, &mut spender, "ERC-20 transferFrom", taking)?;
    }
    Ok(())
}
