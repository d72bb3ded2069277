//! What logs say about a call.

use crate::client::Client;
use crate::error::METHOD_CHARS_MAX;
use jsonrpsee::core::middleware::Request;
use jsonrpsee::types::Id;
use std::borrow::Cow;
use std::fmt;
use tracing::field::display;
use tracing::{Span, debug_span, info_span};

/// A call: its number, method and client, and how the client calls it.
pub(crate) struct Named<'a> {
    number: u64,
    method: Cow<'static, str>,
    id: Id<'a>,
    client: Option<Client>,
}

impl<'a> Named<'a> {
    /// The call `number`; `known` is its method, if there is such a method.
    pub(crate) fn new(request: &Request<'a>, number: u64, known: Option<&'static str>) -> Self {
        let unknown = || request.method.chars().take(METHOD_CHARS_MAX).collect::<String>().into();
        let method = known.map_or_else(unknown, Cow::Borrowed);
        Self { number, method, id: request.id(), client: request.extensions().get().copied() }
    }

    /// Its method, or the beginning of a name that is none.
    pub(crate) fn method(&self) -> &str {
        &self.method
    }

    pub(crate) fn id(&self) -> Id<'a> {
        self.id.clone()
    }

    /// The span of a call that changes something.
    pub(crate) fn span(&self) -> Span {
        info_span!("rpc", request = self.number, method = ?self.method, id = %IdText(&self.id), client = self.client())
    }

    /// The span of a read. Making one takes longer than many a read, so at the usual level it has none.
    pub(crate) fn span_of_read(&self) -> Span {
        debug_span!("rpc", request = self.number, method = ?self.method, id = %IdText(&self.id), client = self.client())
    }

    /// Says something about it, be there a span or not.
    pub(crate) fn tell(&self, say: impl FnOnce()) {
        let span = if Span::current().is_disabled() { self.span() } else { Span::none() };
        span.in_scope(say);
    }

    fn client(&self) -> Option<impl tracing::Value> {
        self.client.map(|Client(address)| display(address))
    }
}

/// An id of a call, as far as it is repeated in logs.
struct IdText<'a>(&'a Id<'a>);

impl fmt::Display for IdText<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Id::Null => formatter.write_str("null"),
            Id::Number(number) => write!(formatter, "{number}"),
            Id::Str(text) => {
                let end = text.char_indices().nth(METHOD_CHARS_MAX).map_or(text.len(), |(end, _)| end);
                write!(formatter, "{:?}", text.get(..end).unwrap_or_default())
            }
        }
    }
}
