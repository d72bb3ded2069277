//! Why something was not deployed.

use parhelion_core::cluster::ClusterError;
use parhelion_sdk::convert::Sol;
use parhelion_sdk::transaction::BuildError;
use solana_address::Address;

/// Why something was not deployed, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The cluster did not answer or did not take a transaction.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Instructions make no transaction.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The file to deploy is something else.
    #[error(
        "the file is no Solana program ({0}): build one with `cargo xtask build-sbf` and name it with --program"
    )]
    NoProgramFile(&'static str),
    /// Something that is no program lives at the program id.
    #[error("{address} is no program but an account of {owner}: choose another --program-id")]
    NoProgramAccount {
        /// The program id.
        address: Address,
        /// Who owns the account there.
        owner: Address,
    },
    /// The program was closed.
    #[error(
        "the program {0} was closed, and its address can never be used again: choose another --program-id"
    )]
    Closed(Address),
    /// There is no program at the program id.
    #[error(
        "no program at {0} on this cluster: check --program-id and --solana-url, or deploy it with `parhelion deploy`"
    )]
    Missing(Address),
    /// Another version of the program is there already.
    #[error(
        "another version of the program is deployed at {0}: replace it with `parhelion upgrade`, or choose another --program-id"
    )]
    OtherVersion(Address),
    /// The program's key is needed and not known.
    #[error(
        "nothing is deployed at {0} yet, which needs the program id's own key: give its key file as --program-id"
    )]
    KeyNeeded(Address),
    /// Somebody else may change the program.
    #[error(
        "the program {program_id} may be changed by {holder} only, not by {ours}: give the key file of {holder} as --authority"
    )]
    NotAuthority {
        /// The program id.
        program_id: Address,
        /// Who may.
        holder: Address,
        /// Whose key was given.
        ours: Address,
    },
    /// Nobody may change the program.
    #[error("the program {0} is final: its upgrade authority was given up, so it can never be changed")]
    Final(Address),
    /// The buffer's account is not as it was left.
    #[error(
        "the buffer {0} is not ours any more: its authority was changed. Close it with the key that has it now"
    )]
    ForeignBuffer(Address),
    /// Not enough lamports.
    #[error("{authority} needs {} and has {}: send it the rest and run the same command again", Sol(*.needed), Sol(*.has))]
    Poor {
        /// Who pays.
        authority: Address,
        /// What is needed at most at one time.
        needed: u64,
        /// What is there.
        has: u64,
    },
    /// The buffer could not be filled.
    #[error(
        "{missing} bytes of the program could not be written in {rounds} rounds{why}: run the same command again to go on"
    )]
    NotWritten {
        /// Bytes that are missing.
        missing: usize,
        /// How often it was tried.
        rounds: u32,
        /// The last failure, if there was one.
        why: String,
    },
    /// The chain does not hold what was sent.
    #[error(
        "the program on chain differs from the file from byte {0} on: do not use it; run `parhelion upgrade` with the right file"
    )]
    NotWhatWasSent(usize),
    /// The chain at this program has another chain id.
    #[error(
        "the chain at this program has chain id {there}, not {asked}, and a chain id never changes: leave out --chain-id or choose another --program-id"
    )]
    OtherChainId {
        /// The chain id that it has.
        there: u64,
        /// What was asked for.
        asked: u64,
    },
    /// The config account cannot be read.
    #[error("the chain's config cannot be read: {0}; use a newer version of this command")]
    Config(&'static str),
}
