//! The explorer: web pages that show a chain, served by the node itself.
//!
//! This crate is a pure function from a request to one of the files in `assets/`, which are compiled in. It knows
//! neither the chain nor the server: what the pages show, they ask for over JSON-RPC, at the address that they come
//! from.
//!
//! | path | answer |
//! |---|---|
//! | `/`, asked for by a browser | the way to `/explorer/` |
//! | `/explorer/assets/NAME` | a file of `assets/` |
//! | any other below `/explorer` | the page, whose script shows what the path names |
//! | all others | none: they are the server's |
//!
//! Paths of blocks, transactions, addresses and tokens are those of EIP-3091, so wallets that know the explorer's
//! address can link to them.
//!
//! # What the pages may do
//! The content security policy lets them run their own scripts, ask their own node, and show the icons that wallets
//! bring along, which are `data:` addresses (EIP-6963). Nothing comes from elsewhere. Texts of the chain are hostile
//! input, and no script here makes markup of a text: the policy has trusted types without a single policy, so the
//! browser would refuse.
//!
//! # The scripts
//! ES modules as they are written, without a build step. `assets/app.js` is the first; its header says where the
//! others are.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod assets;

use assets::{Asset, PAGE};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};

/// Below it is everything that the explorer serves.
const ROOT: &str = "/explorer";
/// Where files are, below [`ROOT`].
const ASSETS: &str = "/assets/";
/// What the pages may load and do, see the crate's documentation.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// The answer to a request, if it is one for the explorer.
#[must_use]
pub fn page(request: &Parts) -> Option<Response<&'static str>> {
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return None;
    }
    let path = request.uri.path();
    if path == "/" {
        return accepts_html(&request.headers).then(to_explorer);
    }
    let inside = path.strip_prefix(ROOT)?;
    if !inside.is_empty() && !inside.starts_with('/') {
        return None;
    }
    Some(match inside.strip_prefix(ASSETS) {
        None => file(&PAGE, &request.headers),
        Some(name) => assets::find(name).map_or_else(not_found, |asset| file(asset, &request.headers)),
    })
}

/// Browsers ask for HTML by name. Tools that ask for anything (`*/*`) are none.
fn accepts_html(headers: &HeaderMap) -> bool {
    texts(headers, header::ACCEPT).any(|text| text.contains("text/html"))
}

fn texts(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
}

fn to_explorer() -> Response<&'static str> {
    let mut answer = answer(StatusCode::TEMPORARY_REDIRECT, "");
    answer.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/explorer/"));
    // Whether there is an explorer is a matter of the node's options, and who gets here one of the request's.
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    answer
}

fn not_found() -> Response<&'static str> {
    let mut answer = answer(StatusCode::NOT_FOUND, "there is no such file\n");
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// A file, or word that the browser has it already.
fn file(asset: &Asset, request: &HeaderMap) -> Response<&'static str> {
    let tag = asset.entity_tag();
    let is_known = texts(request, header::IF_NONE_MATCH)
        .flat_map(|text| text.split(','))
        .any(|known| matches!(known.trim(), "*") || known.trim().trim_start_matches("W/") == tag);
    let (status, content) =
        if is_known { (StatusCode::NOT_MODIFIED, "") } else { (StatusCode::OK, asset.content) };
    let mut answer = answer(status, content);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    // The next version of the node has other files under the same names: ask each time, by entity tag.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    answer
}

/// An answer with the headers that all have.
fn answer(status: StatusCode, body: &'static str) -> Response<&'static str> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn parts(method: &str, path: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn get(path: &str) -> Option<Response<&'static str>> {
        page(&parts("GET", path, &[]))
    }

    #[test]
    fn every_path_below_the_root_is_the_page() {
        for path in
            ["/explorer", "/explorer/", "/explorer/block/5", "/explorer/tx/0x1?a=b", "/explorer/no/such"]
        {
            let answer = get(path).unwrap();
            assert_eq!((answer.status(), *answer.body()), (StatusCode::OK, PAGE.content), "{path}");
            assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8", "{path}");
        }
    }

    #[test]
    fn files_come_with_their_types() {
        for (name, content_type) in [
            ("app.js", "text/javascript; charset=utf-8"),
            ("views/home.js", "text/javascript; charset=utf-8"),
            ("style.css", "text/css; charset=utf-8"),
            ("icon.svg", "image/svg+xml"),
        ] {
            let answer = get(&format!("/explorer/assets/{name}")).unwrap();
            assert_eq!(answer.status(), StatusCode::OK, "{name}");
            assert_eq!(answer.headers()[header::CONTENT_TYPE], content_type, "{name}");
            assert!(!answer.body().is_empty(), "{name}");
        }
    }

    #[test]
    fn what_is_no_file_is_not_found() {
        for name in ["", "app", "app.js/", "../Cargo.toml", "%2e%2e/src/lib.rs", "views", "index.html"] {
            assert_eq!(
                get(&format!("/explorer/assets/{name}")).unwrap().status(),
                StatusCode::NOT_FOUND,
                "{name}"
            );
        }
    }

    #[test]
    fn other_requests_are_left_to_the_server() {
        for path in ["/", "/health", "/explorers", "/explorer.html", "/Explorer/"] {
            assert!(get(path).is_none(), "{path}");
        }
        for method in ["POST", "PUT", "OPTIONS", "DELETE"] {
            assert!(page(&parts(method, "/explorer/", &[])).is_none(), "{method}");
            assert!(page(&parts(method, "/", &[("accept", "text/html")])).is_none(), "{method}");
        }
        assert!(page(&parts("GET", "/", &[("accept", "*/*")])).is_none());
    }

    #[test]
    fn a_browser_is_sent_on_from_the_root() {
        let accept = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
        for method in ["GET", "HEAD"] {
            let answer = page(&parts(method, "/", &accept)).unwrap();
            assert_eq!(answer.status(), StatusCode::TEMPORARY_REDIRECT);
            assert_eq!(answer.headers()[header::LOCATION], "/explorer/");
        }
    }

    #[test]
    fn every_answer_is_guarded() {
        let redirect = page(&parts("GET", "/", &[("accept", "text/html")]));
        for answer in [get("/explorer/"), get("/explorer/assets/app.js"), get("/explorer/assets/x"), redirect]
        {
            let headers = answer.unwrap().headers().clone();
            let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
            assert!(!policy.contains("unsafe"), "{policy}");
            assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        }
    }

    #[test]
    fn a_browser_that_has_a_file_does_not_get_it_again() {
        let path = "/explorer/assets/app.js";
        let first = get(path).unwrap();
        assert_eq!(first.headers()[header::CACHE_CONTROL], "no-cache");
        let tag = first.headers()[header::ETAG].to_str().unwrap();
        for (known, status) in [
            (tag.to_owned(), StatusCode::NOT_MODIFIED),
            (format!("\"other\", W/{tag}"), StatusCode::NOT_MODIFIED),
            ("\"other\"".to_owned(), StatusCode::OK),
        ] {
            let answer = page(&parts("GET", path, &[("if-none-match", &known)])).unwrap();
            assert_eq!(answer.status(), status, "{known}");
            assert_eq!(answer.body().is_empty(), status == StatusCode::NOT_MODIFIED);
            assert_eq!(answer.headers()[header::ETAG], tag);
        }
        assert_ne!(get("/explorer/assets/style.css").unwrap().headers()[header::ETAG], tag);
    }
}
