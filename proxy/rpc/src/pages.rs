//! Web pages on the port of JSON-RPC: who embeds the server may answer plain GET and HEAD requests first.

use futures::future::{Either, Ready, ready};
use http::request::Parts;
use http::{Method, Response};
use jsonrpsee::core::BoxError;
use jsonrpsee::server::ws::is_upgrade_request;
use jsonrpsee::server::{HttpBody, HttpRequest, HttpResponse};
use std::task::{Context, Poll};
use tower::{Layer, Service};

/// Gives a page for a GET or HEAD request, or leaves the request to the server. It is asked before anything else, so it
/// must be quick, and pages get no CORS headers.
pub type Pages = fn(&Parts) -> Option<Response<&'static str>>;

/// Puts [`WithPages`] around an HTTP service.
#[derive(Clone)]
pub(crate) struct PagesLayer(pub(crate) Option<Pages>);

impl<S> Layer<S> for PagesLayer {
    type Service = WithPages<S>;

    fn layer(&self, service: S) -> WithPages<S> {
        WithPages { service, pages: self.0 }
    }
}

/// See the module.
#[derive(Clone)]
pub(crate) struct WithPages<S> {
    service: S,
    pages: Option<Pages>,
}

impl<S> Service<HttpRequest> for WithPages<S>
where
    S: Service<HttpRequest, Response = HttpResponse, Error = BoxError>,
{
    type Response = HttpResponse;
    type Error = BoxError;
    type Future = Either<Ready<Result<HttpResponse, BoxError>>, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: HttpRequest) -> Self::Future {
        let is_plain =
            matches!(*request.method(), Method::GET | Method::HEAD) && !is_upgrade_request(&request);
        let Some(pages) = self.pages.filter(|_| is_plain) else {
            return Either::Right(self.service.call(request));
        };
        let (parts, body) = request.into_parts();
        match pages(&parts) {
            Some(page) => Either::Left(ready(Ok(page.map(HttpBody::from)))),
            None => Either::Right(self.service.call(HttpRequest::from_parts(parts, body))),
        }
    }
}
