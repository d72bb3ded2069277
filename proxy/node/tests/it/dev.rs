//! `parhelion dev`, as a process.

use jsonrpsee::http_client::{HttpClient, HttpClientBuilder};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// A development chain, ended with the test.
pub(crate) struct Dev {
    child: Child,
    /// Its address, `http://…`.
    pub(crate) url: String,
    /// Where its metrics are, if it was asked for them.
    pub(crate) metrics_url: Option<String>,
    pub(crate) rpc: HttpClient,
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Dev {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parhelion"));
        command.args(["dev", "--listen", "127.0.0.1:0"]).args(arguments).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (mut url, mut metrics_url) = (None, None);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        while url.is_none() {
            let line = lines.next().expect("the node says where it listens");
            let found = line.split_whitespace().find(|word| word.starts_with("http://")).map(str::to_owned);
            match line.split_whitespace().next() {
                Some("Listening") => url = found,
                Some("Metrics") => metrics_url = found,
                _ => {}
            }
        }
        let url = url.unwrap();
        let rpc = HttpClientBuilder::default().build(&url).unwrap();
        Self { child, url, metrics_url, rpc }
    }

    /// The answer to what a browser asks for, as text; `path` is one of the node, or a URL.
    pub(crate) fn get(&self, path: &str) -> String {
        let url = if path.starts_with('/') { format!("{}{path}", self.url) } else { path.to_owned() };
        let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        let request = format!(
            "GET /{path} HTTP/1.1\r\nhost: {host}\r\naccept: text/html,*/*\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}
