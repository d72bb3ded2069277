//! `parhelion dev`, as a process.

use jsonrpsee::http_client::{HttpClient, HttpClientBuilder};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A development chain, ended with the test.
pub(crate) struct Dev {
    child: Child,
    /// Its address, `http://…`.
    pub(crate) url: String,
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
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let url = lines.skip_while(|line| !line.starts_with("Listening")).find_map(|line| {
            line.split_whitespace().find(|word| word.starts_with("http://")).map(str::to_owned)
        });
        let url = url.unwrap();
        let rpc = HttpClientBuilder::default().build(&url).unwrap();
        Self { child, url, rpc }
    }
}
