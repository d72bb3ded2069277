//! A URL that may hold a password or a token, and is shown without it.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// A URL of a database or of a Solana RPC. Only [`SecretUrl::reveal`] gives all of it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SecretUrl(String);

impl SecretUrl {
    /// The whole URL, for who connects with it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether nothing is left out where it is shown.
    pub(crate) fn is_shown_whole(&self) -> bool {
        self.to_string() == self.0.trim_end_matches('/')
    }
}

impl From<String> for SecretUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl FromStr for SecretUrl {
    type Err = Infallible;

    fn from_str(url: &str) -> Result<Self, Infallible> {
        Ok(Self(url.to_owned()))
    }
}

impl fmt::Display for SecretUrl {
    /// Without user, password and query; of what is on the web without the path, too, where services want their keys.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://") else {
            let file = self.0.strip_prefix("sqlite:").and_then(|rest| rest.split('?').next());
            return write!(
                formatter,
                "{}",
                file.map_or_else(|| "…".to_owned(), |file| format!("sqlite:{file}"))
            );
        };
        // A password may hold any of these, so what is before them is not known.
        if rest.find('?').is_some_and(|query| rest[query..].contains('@')) {
            return write!(formatter, "{scheme}://…");
        }
        let rest = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
        let place = rest.split(['?', '#']).next().unwrap_or_default();
        let is_web = matches!(scheme, "http" | "https" | "ws" | "wss");
        let host = place.split('/').next().unwrap_or_default();
        write!(formatter, "{scheme}://{}", if is_web { host } else { place })
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::SecretUrl;

    #[test]
    fn secrets_are_not_shown() {
        for (url, shown) in [
            ("postgres://me:s3cr@t@db.example/chain", "postgres://db.example/chain"),
            ("postgres://db.example/chain?password=s3cret", "postgres://db.example/chain"),
            ("postgres://db.example/chain?password=s3cr@t", "postgres://…"),
            ("postgres://me:s3?cr@t@db.example/chain", "postgres://…"),
            ("postgres://me:s3/cr@t@db.example/chain", "postgres://db.example/chain"),
            ("me:s3cret@db.example", "…"),
            ("postgres://db.example:5432/chain", "postgres://db.example:5432/chain"),
            ("sqlite:/data/chain.sqlite", "sqlite:/data/chain.sqlite"),
            ("sqlite:///data/chain.sqlite?key=s3cret", "sqlite:///data/chain.sqlite"),
            ("https://rpc.example/v2/s3cret", "https://rpc.example"),
            ("https://rpc.example/?api-key=s3cret", "https://rpc.example"),
            ("https://rpc.example?api-key=s3cret", "https://rpc.example"),
            ("http://me:s3cret@rpc.example:8899/", "http://rpc.example:8899"),
            ("http://127.0.0.1:8899", "http://127.0.0.1:8899"),
        ] {
            let url = SecretUrl::from(url.to_owned());
            assert_eq!((url.to_string(), format!("{url:?}")), (shown.to_owned(), shown.to_owned()));
        }
    }
    #[test]
    fn what_is_left_out_is_told() {
        let is_whole = |url: &str| SecretUrl::from(url.to_owned()).is_shown_whole();
        assert!(is_whole("http://127.0.0.1:8899") && is_whole("https://rpc.example/"));
        assert!(!is_whole("https://rpc.example/s3cret") && !is_whole("https://rpc.example/?key=s3cret"));
    }
}
