//! HTTP bodies that are no JSON-RPC.
//!
//! jsonrpsee answers all of them, but calls an object without an id a parse error, ignores a request whose id it
//! cannot read, and never says what is wrong. Clients expect -32700 for what is no JSON and -32600 for JSON that is no
//! request, so this layer reads the body first and lets through what jsonrpsee will understand. Of the ids that it does not, those
//! that are numbers or booleans are replaced for it.

use crate::calls::{NoAnswer, OverHttp, RetryAfter, Shared, refuse};
use crate::error::RpcError;
use crate::foreign_ids::ForeignIds;
use futures::future::BoxFuture;
use http::header::RETRY_AFTER;
use http::{Extensions, HeaderMap, StatusCode};
use jsonrpsee::core::BoxError;
use jsonrpsee::core::http_helpers::{HttpError, read_body};
use jsonrpsee::server::http::{content_type_is_json, response};
use jsonrpsee::server::ws::is_upgrade_request;
use jsonrpsee::server::{HttpBody, HttpRequest, HttpResponse};
use jsonrpsee::types::{Id, InvalidRequest, Notification, Request};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Semaphore;
use tower::{Layer, Service};

/// What a body should have been.
const USAGE: &str = "send one JSON-RPC 2.0 request object, or an array of them";

/// Puts [`Framing`] around an HTTP service.
#[derive(Clone)]
pub(crate) struct FramingLayer {
    shared: Arc<Shared>,
    /// One permit for each request that may be read at a time: jsonrpsee counts them only after this layer.
    permits: Arc<Semaphore>,
}

impl FramingLayer {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let permits = Arc::new(Semaphore::new(shared.limits.connections_max as usize));
        Self { shared, permits }
    }

    /// The answer to what is no request, which counts as one.
    fn refuse(&self, id: Id<'_>, error: RpcError, extensions: &Extensions) -> HttpResponse {
        let error = self.shared.admit(extensions, 1).err().unwrap_or_else(|| {
            self.shared.metrics.failed(error.code());
            error
        });
        finish(response::from_method_response(refuse(id, error)))
    }
}

impl<S> Layer<S> for FramingLayer {
    type Service = Framing<S>;

    fn layer(&self, service: S) -> Framing<S> {
        Framing { service, settings: self.clone() }
    }
}

/// See the module.
#[derive(Clone)]
pub(crate) struct Framing<S> {
    service: S,
    settings: FramingLayer,
}

impl<S> Service<HttpRequest> for Framing<S>
where
    S: Service<HttpRequest, Response = HttpResponse, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = HttpResponse;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<HttpResponse, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: HttpRequest) -> Self::Future {
        // The clone takes the place of the service that was polled ready.
        let clone = self.service.clone();
        let mut service = std::mem::replace(&mut self.service, clone);
        // jsonrpsee refuses other methods and content types itself.
        if request.method() != "POST" || !content_type_is_json(&request) || is_upgrade_request(&request) {
            return Box::pin(service.call(request));
        }
        let settings = self.settings.clone();
        Box::pin(async move {
            let Ok(_permit) = settings.permits.try_acquire() else {
                return Ok(response::too_many_requests());
            };
            let (mut parts, body) = request.into_parts();
            parts.extensions.insert(OverHttp);
            let limits = settings.shared.limits;
            let time_max = Duration::from_secs(limits.request_seconds_max);
            let read = read_body(&parts.headers, body, limits.request_bytes_max);
            let (id, error) = match tokio::time::timeout(time_max, read).await {
                Ok(Ok((body, _))) => {
                    let (ids, body, checked) = readable(body);
                    let answer = match checked {
                        Ok(()) => {
                            let request = HttpRequest::from_parts(parts, HttpBody::from(body));
                            finish(service.call(request).await?)
                        }
                        Err((id, error)) => settings.refuse(id, error, &parts.extensions),
                    };
                    return put_back(ids, answer).await;
                }
                Ok(Err(HttpError::Malformed)) => (Id::Null, RpcError::Parse(format!("parse error: {USAGE}"))),
                // A stream error is a connection that broke, then nobody reads the answer, or a body of no
                // declared length that exceeds the limit.
                Ok(Err(HttpError::TooLarge | HttpError::Stream(_))) => {
                    return Ok(response::too_large(limits.request_bytes_max));
                }
                Err(_) => (Id::Null, RpcError::Timeout { seconds: limits.request_seconds_max }),
            };
            Ok(settings.refuse(id, error, &parts.extensions))
        })
    }
}

/// What is wrong with a body, and the id to say it to.
type Checked = Result<(), (Id<'static>, RpcError)>;

/// [`check`]s a body, without the ids that jsonrpsee cannot read: these are taken out of it.
fn readable(body: Vec<u8>) -> (Option<ForeignIds>, Vec<u8>, Checked) {
    let owned = |(id, error): (Id<'_>, RpcError)| (id.into_owned(), error);
    let checked = check(&body).map_err(owned);
    // The usual request is looked at once.
    if checked.is_ok() && !body.starts_with(b"[") {
        return (None, body, checked);
    }
    match ForeignIds::replace(&body) {
        Some((ids, body)) => {
            let checked = check(&body).map_err(owned);
            (Some(ids), body, checked)
        }
        None => (None, body, checked),
    }
}

/// Puts such ids into the answer.
async fn put_back(ids: Option<ForeignIds>, answer: HttpResponse) -> Result<HttpResponse, BoxError> {
    let Some(ids) = ids else { return Ok(answer) };
    let (parts, body) = answer.into_parts();
    let (body, _) = read_body(&HeaderMap::new(), body, u32::MAX).await?;
    Ok(HttpResponse::from_parts(parts, HttpBody::from(ids.put_back(&body))))
}

/// Gives an answer of jsonrpsee what HTTP has beside the body.
fn finish(mut answer: HttpResponse) -> HttpResponse {
    if answer.extensions().get::<NoAnswer>().is_some() {
        *answer.body_mut() = HttpBody::empty();
    }
    if let Some(RetryAfter { seconds }) = answer.extensions().get().copied() {
        *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    answer
}

/// The parts of a request, whatever they are.
#[derive(Deserialize)]
struct Probe<'a> {
    #[serde(borrow)]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<&'a RawValue>,
    /// Not looked at; but if there are several, it is no request.
    #[serde(borrow, rename = "params")]
    _params: Option<&'a RawValue>,
}

/// Whether a body is certainly one that jsonrpsee will understand, which is quickly seen of most.
fn is_usual(body: &[u8]) -> bool {
    // What is not looked at must be text as well.
    let Ok(text) = str::from_utf8(body) else { return false };
    let Ok(Probe { jsonrpc: Some(version), id: Some(id), method: Some(method), .. }) =
        serde_json::from_str(text)
    else {
        return false;
    };
    // What is escaped may be no text.
    let is_text = |text: &str| text.starts_with('"') && !text.contains('\\');
    let is_number = |text: &str| text.len() < 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    version.get() == "\"2.0\"" && is_text(method.get()) && (is_number(id.get()) || is_text(id.get()))
}

/// Whether jsonrpsee will understand the body; entries of a batch are left to it.
fn check(body: &[u8]) -> Result<(), (Id<'_>, RpcError)> {
    if is_usual(body) {
        return Ok(());
    }
    if let Err(error) = serde_json::from_slice::<&RawValue>(body) {
        return Err((Id::Null, RpcError::Parse(format!("parse error: {error}; {USAGE}"))));
    }
    if body.starts_with(b"[") || serde_json::from_slice::<Request<'_>>(body).is_ok() {
        return Ok(());
    }
    let invalid = |reason: &str| RpcError::InvalidRequest(format!("invalid request: {reason}; {USAGE}"));
    let probe = match serde_json::from_slice::<Probe<'_>>(body) {
        Ok(probe) => probe,
        Err(error) => return Err((Id::Null, invalid(&error.to_string()))),
    };
    let notification = serde_json::from_slice::<Notification<'_, Option<&RawValue>>>(body);
    if probe.id.is_none() && notification.is_ok() {
        return Ok(());
    }
    let id = serde_json::from_slice::<InvalidRequest<'_>>(body).map_or(Id::Null, |request| request.id);
    let is_text = |value: Option<&RawValue>| value.is_some_and(|value| value.get().starts_with('"'));
    let reason = if probe.jsonrpc.is_none_or(|version| version.get() != "\"2.0\"") {
        "\"jsonrpc\" must be \"2.0\""
    } else if !is_text(probe.method) {
        "\"method\" must be a text"
    } else {
        "\"id\" must be a text, a number, a boolean or null"
    };
    Err((id, invalid(reason)))
}

#[cfg(test)]
mod tests {
    use super::{check, is_usual};
    use jsonrpsee::types::{Id, Request};

    #[test]
    fn requests_notifications_and_arrays_pass() {
        for body in [
            r#"{"jsonrpc":"2.0","id":1,"method":"a"}"#,
            r#"{"jsonrpc":"2.0","id":"x","method":"a","params":[1]}"#,
            r#"{"jsonrpc":"2.0","id":null,"method":"a","params":null}"#,
            r#"{"jsonrpc":"2.0","method":"a","params":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"\u0061","more":[]}"#,
            r#"{"jsonrpc":"2.0","id":"\u0061","method":"a"}"#,
            r#"{"jsonrpc":"2.0","id":18446744073709551615,"method":"a"}"#,
            r#" {"params":[],"method":"a","id":"","jsonrpc":"2.0"} "#,
            "[]",
            "[1, {}]",
            // Derived code takes an array for its fields in order.
            r#"["2.0",1,"a",[]]"#,
            r#" ["2.0",1,"a",[]]"#,
        ] {
            assert!(check(body.as_bytes()).is_ok(), "{body}");
            assert!(!is_usual(body.as_bytes()) || is_request(body), "{body}");
        }
    }

    /// Whether jsonrpsee understands it.
    fn is_request(body: &str) -> bool {
        serde_json::from_str::<Request<'_>>(body).is_ok()
    }

    #[test]
    fn everything_else_is_refused_with_its_code_id_and_reason() {
        let rows: [(&str, i32, Id<'_>, &str); 16] = [
            ("{", -32700, Id::Null, "EOF"),
            (r#"{"a":1}}"#, -32700, Id::Null, "trailing"),
            ("[1,", -32700, Id::Null, "EOF"),
            ("{}", -32600, Id::Null, "jsonrpc"),
            (r#"{"jsonrpc":"1.0","id":7,"method":"a"}"#, -32600, Id::Number(7), "jsonrpc"),
            (r#"{"id":7,"method":"a"}"#, -32600, Id::Number(7), "jsonrpc"),
            (r#"{"jsonrpc":"2.0","id":"x"}"#, -32600, Id::Str("x".into()), "method"),
            (r#"{"jsonrpc":"2.0","id":7,"method":5}"#, -32600, Id::Number(7), "method"),
            (r#"{"jsonrpc":"2.0","id":{},"method":"a"}"#, -32600, Id::Null, "\"id\""),
            (r#"{"jsonrpc":"2.0","id":-1,"method":"a"}"#, -32600, Id::Null, "\"id\""),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"a"}"#, -32600, Id::Null, "\"id\""),
            (r#"{"jsonrpc":"2.0","method":null}"#, -32600, Id::Null, "method"),
            (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"a"}"#, -32600, Id::Null, "duplicate"),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"a","params":[],"params":[]}"#,
                -32600,
                Id::Null,
                "duplicate",
            ),
            (r#"{"jsonrpc":"2.0","id":1,"method":"\ud800"}"#, -32600, Id::Number(1), ""),
            (r#"{"jsonrpc":"2.0","id":"\ud800","method":"a"}"#, -32600, Id::Null, "\"id\""),
        ];
        for (body, code, id, reason) in rows {
            assert!(!is_usual(body.as_bytes()), "{body}");
            let (found, error) = check(body.as_bytes()).unwrap_err();
            assert_eq!((error.code(), found), (code, id), "{body}");
            assert!(error.to_string().contains(reason), "{body}: {error}");
        }
        let unread = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"more\":\"\xff\"}";
        for body in [&b"{\"\xff\":1}"[..], unread] {
            assert_eq!(check(body).unwrap_err().1.code(), -32700);
        }
    }

    #[test]
    fn deep_nesting_does_not_overflow_the_stack() {
        assert!(check("[".repeat(1_000_000).as_bytes()).is_err());
        assert!(check(format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000)).as_bytes()).is_ok());
        let params = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"a","params":{}{}}}"#,
            "[".repeat(1_000_000),
            "]".repeat(1_000_000)
        );
        assert!(check(params.as_bytes()).is_ok());
    }
}
