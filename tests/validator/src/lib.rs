//! A real Solana validator, for tests and for `cargo xtask localnet`.
//!
//! | module | holds |
//! |---|---|
//! | [`validator`] | [`Validator`]: starts, stops, kills and restarts `solana-test-validator` |
//! | [`process`] | a program that runs as long as its guard, and not longer than this process |
//! | [`folder`] | temporary folders that vanish, also those of a process that was killed |
//! | [`ports`] | free ports |
//!
//! `cargo xtask` builds the validator into the user's cache folder and names it in [`validator::VARIABLE`].
//!
//! ```no_run
//! use parhelion_validator::{Options, Validator};
//!
//! let mut validator = Validator::start(Options::default())?;
//! println!("{}", validator.url());
//! validator.kill();
//! validator.restart()?; // from the same ledger, on the same ports
//! # Ok::<(), anyhow::Error>(())
//! ```

pub mod folder;
pub mod ports;
pub mod process;
pub mod validator;

pub use validator::{Options, Validator};
