//! `parhelion_faucet`: value for whoever asks, on development chains.
//!
//! What it gives, the operator deposits through the program's own instruction. That needs no Ethereum key and nobody's
//! nonce, so whoever sends transactions at the same time is not disturbed.

use alloy_primitives::{Address, U256};
use parhelion_core::cluster::Cluster;
use parhelion_rpc::{Arguments, Methods, Module, RegisterMethodError, RpcError};
use parhelion_sdk::instruction::deposit;
use parhelion_sdk::transaction::{Budget, Format, sign};
use parhelion_wire::WEI_PER_LAMPORT;
use serde::Serialize;
use solana_keypair::Keypair;
use solana_signer::Signer;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a request gives: 10 SOL, shown as 10 ether in Ethereum tools.
const LAMPORTS: u64 = 10_000_000_000;
/// How long an address waits for more.
const PAUSE: Duration = Duration::from_secs(60);
/// How many requests are served within [`PAUSE`], whoever asks.
const REQUESTS_MAX: usize = 100;

/// The answer of `parhelion_faucet`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Gift {
    /// How much, in wei.
    amount: U256,
    /// The Solana transaction that deposited it, in base 58. It is no Ethereum transaction.
    solana_signature: String,
}

/// The method over a development chain. `payer` is a Solana key that may spend all that it has.
pub(crate) fn methods(cluster: Arc<dyn Cluster>, payer: Keypair) -> Result<Methods, RegisterMethodError> {
    let faucet = Faucet { cluster, payer, recent: Mutex::default() };
    let mut module = Module::new(Arc::new(faucet));
    module.method("parhelion_faucet", 1, give)?;
    Ok(module.into_methods())
}

/// `parhelion_faucet(address)`: pays 10 SOL to an address, once a minute at most.
async fn give(arguments: Arguments, faucet: Arc<Faucet>) -> Result<Gift, RpcError> {
    let address = arguments.require(0)?;
    faucet.recent().admit(address, Instant::now())?;
    match faucet.deposit(address).await {
        Ok(solana_signature) => {
            Ok(Gift { amount: U256::from(LAMPORTS) * U256::from(WEI_PER_LAMPORT), solana_signature })
        }
        Err(error) => {
            faucet.recent().forget(address);
            Err(error)
        }
    }
}

struct Faucet {
    cluster: Arc<dyn Cluster>,
    payer: Keypair,
    recent: Mutex<Recent>,
}

impl Faucet {
    fn recent(&self) -> MutexGuard<'_, Recent> {
        // Every change of the list is complete when the lock is given back, whatever happened to its holder.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Deposits, and gives the signature of the Solana transaction in base 58.
    async fn deposit(&self, address: Address) -> Result<String, RpcError> {
        let payer = self.payer.pubkey();
        let instruction = deposit(&self.cluster.deployment(), &payer, address, LAMPORTS);
        let blockhash = self.cluster.latest_blockhash().await?;
        let transaction =
            sign(&[instruction], &payer, &[&self.payer], blockhash, &Budget::MAX, Format::V1)
                .map_err(|error| RpcError::Internal(format!("the deposit cannot be signed: {error}")))?;
        Ok(self.cluster.send(&transaction).await?.to_string())
    }
}

/// Who was served within the last [`PAUSE`], oldest first; at most [`REQUESTS_MAX`].
#[derive(Default)]
struct Recent(VecDeque<(Address, Instant)>);

impl Recent {
    /// Notes that an address is served `now`, unless it has to wait.
    fn admit(&mut self, address: Address, now: Instant) -> Result<(), RpcError> {
        while self.0.front().is_some_and(|(_, served)| now.duration_since(*served) >= PAUSE) {
            self.0.pop_front();
        }
        let wait =
            |served: &Instant| PAUSE.saturating_sub(now.duration_since(*served)).as_millis().div_ceil(1000);
        if let Some((_, served)) = self.0.iter().find(|(known, _)| *known == address) {
            let seconds = wait(served);
            return Err(RpcError::Rejected(format!(
                "{address} was just given something: ask again in {seconds} s"
            )));
        }
        if let Some((_, oldest)) = self.0.front().filter(|_| self.0.len() >= REQUESTS_MAX) {
            let seconds = wait(oldest);
            return Err(RpcError::Rejected(format!("the faucet is busy: ask again in {seconds} s")));
        }
        self.0.push_back((address, now));
        Ok(())
    }

    /// An address got nothing after all.
    fn forget(&mut self, address: Address) {
        self.0.retain(|(known, _)| *known != address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: usize) -> Address {
        Address::left_padding_from(&number.to_be_bytes())
    }

    fn refusal(recent: &mut Recent, number: usize, now: Instant) -> String {
        recent.admit(address(number), now).map_or_else(|error| error.to_string(), |()| "admitted".into())
    }

    #[test]
    fn an_address_waits_a_minute_and_others_do_not() {
        let (mut recent, start) = (Recent::default(), Instant::now());
        assert_eq!(refusal(&mut recent, 1, start), "admitted");
        assert_eq!(refusal(&mut recent, 2, start), "admitted");
        let later = start + Duration::from_secs(50);
        let told = format!("{} was just given something: ask again in 10 s", address(1));
        assert_eq!(refusal(&mut recent, 1, later), told);
        assert_eq!(refusal(&mut recent, 1, start + PAUSE), "admitted");
        assert_eq!(recent.0.len(), 1, "who may ask again is forgotten");
    }

    #[test]
    fn all_together_get_a_bounded_number() {
        let (mut recent, start) = (Recent::default(), Instant::now());
        for number in 0..REQUESTS_MAX {
            assert_eq!(refusal(&mut recent, number, start), "admitted");
        }
        assert_eq!(refusal(&mut recent, REQUESTS_MAX, start), "the faucet is busy: ask again in 60 s");
        assert_eq!(refusal(&mut recent, REQUESTS_MAX, start + PAUSE), "admitted");
    }

    #[test]
    fn who_got_nothing_may_ask_at_once() {
        let (mut recent, start) = (Recent::default(), Instant::now());
        assert_eq!(refusal(&mut recent, 1, start), "admitted");
        recent.forget(address(1));
        assert_eq!(refusal(&mut recent, 1, start), "admitted");
    }
}
