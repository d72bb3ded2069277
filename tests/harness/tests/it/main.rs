//! Tests of the real program binary in a Solana VM.
//!
//! | file | shows |
//! |---|---|
//! | `parity` | chain and emulator do the same, to the byte, and need the same accounts |
//! | `value` | value comes in, moves and leaves, and the vault covers it all the while |
//! | `hostile` | forged, wrong and missing accounts, bad transactions: each its own error, and nothing changes |
//! | `management` | initialize, configure, holders, reservations |
//! | `translation` | translations are written from the code alone, used where they fit, and closed by their payer |
//! | `earning` | the relay translates code that earns it, and lands transactions whatever becomes of translations |
//! | `abandoned` | runs in steps that a node left in the middle are ended by the next one, or by another operator |
//! | `landing` | the relay lands what fits no Solana transaction in several, each as full as it may be |
//! | `together` | consecutive transactions of a sender land in one Solana transaction, or as if they did |
//! | `packets` | the relay lands everything on a cluster without transaction format V1 as well |
//! | `spread` | runs in steps read more accounts than a Solana transaction lists |
//! | `steps` | runs in steps do what runs at once do, whatever happens meanwhile, and nobody can misuse them |
//! | `depth` | chains of handlers fit the VM's call frames |
//! | `parallel` | unrelated transfers have no writable account in common |
//! | `bank` | the same binary under agave's own bank |
#![allow(clippy::unwrap_used)]

mod abandoned;
mod bank;
mod depth;
mod earning;
mod hostile;
mod landing;
mod management;
mod packets;
mod parallel;
mod parity;
mod spread;
mod steps;
mod together;
mod token;
mod translation;
mod value;
