//! Names of filters and subscriptions: hex numbers, as Ethereum clients expect them.

use jsonrpsee::core::traits::IdProvider;
use jsonrpsee::server::RandomIntegerIdProvider;
use jsonrpsee::types::SubscriptionId;

/// Names subscriptions by random hex numbers.
#[derive(Debug)]
pub(crate) struct HexIds;

impl IdProvider for HexIds {
    fn next_id(&self) -> SubscriptionId<'static> {
        match RandomIntegerIdProvider.next_id() {
            SubscriptionId::Num(number) => SubscriptionId::Str(format!("{number:#x}").into()),
            text @ SubscriptionId::Str(_) => text,
        }
    }
}

/// A random number as a text, which nobody can guess: names a filter, for one.
pub(crate) fn random_text() -> String {
    match HexIds.next_id() {
        SubscriptionId::Num(number) => format!("{number:#x}"),
        SubscriptionId::Str(text) => text.into_owned(),
    }
}
