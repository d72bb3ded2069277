//! CORS headers, for who asks from a web page.
//!
//! A browser names the origin of the page that asks. Who names none has no use for the headers, and does not wait for them.

use futures::future::Either;
use http::Method;
use http::header::ORIGIN;
use jsonrpsee::core::BoxError;
use jsonrpsee::server::{HttpBody, HttpRequest, HttpResponse};
use std::task::{Context, Poll};
use tower::{Layer, Service};
use tower_http::cors::{Cors, CorsLayer};

/// Puts [`CrossOrigin`] around an HTTP service.
#[derive(Clone)]
pub(crate) struct CrossOriginLayer(pub(crate) CorsLayer);

impl<S> Layer<S> for CrossOriginLayer {
    type Service = CrossOrigin<S>;

    fn layer(&self, service: S) -> CrossOrigin<S> {
        CrossOrigin(self.0.layer(service))
    }
}

/// See the module.
#[derive(Clone)]
pub(crate) struct CrossOrigin<S>(Cors<S>);

impl<S> Service<HttpRequest> for CrossOrigin<S>
where
    S: Service<HttpRequest, Response = HttpResponse, Error = BoxError>,
    Cors<S>: Service<HttpRequest, Response = http::Response<HttpBody>, Error = BoxError>,
{
    type Response = HttpResponse;
    type Error = BoxError;
    type Future = Either<<Cors<S> as Service<HttpRequest>>::Future, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.get_mut().poll_ready(context)
    }

    fn call(&mut self, request: HttpRequest) -> Self::Future {
        if request.headers().contains_key(ORIGIN) || *request.method() == Method::OPTIONS {
            Either::Left(self.0.call(request))
        } else {
            Either::Right(self.0.get_mut().call(request))
        }
    }
}
