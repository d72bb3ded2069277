//! The files, compiled in.

use std::hash::{DefaultHasher, Hash, Hasher};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// A file of `assets/`.
pub(crate) struct Asset {
    name: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) content: &'static str,
}

impl Asset {
    /// The value of the header `ETag`: as good as different for each content.
    pub(crate) fn entity_tag(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.content.hash(&mut hasher);
        format!("\"{:016x}\"", hasher.finish())
    }
}

macro_rules! asset {
    ($name:literal, $content_type:expr) => {
        Asset {
            name: $name,
            content_type: $content_type,
            content: include_str!(concat!("../assets/", $name)),
        }
    };
}

/// The page, which every path of the explorer begins with.
pub(crate) const PAGE: Asset = asset!("index.html", HTML);

/// What the page loads.
const FILES: &[Asset] = &[
    asset!("style.css", CSS),
    asset!("icon.svg", SVG),
    asset!("abi.js", JAVASCRIPT),
    asset!("app.js", JAVASCRIPT),
    asset!("chain.js", JAVASCRIPT),
    asset!("dom.js", JAVASCRIPT),
    asset!("faucet.js", JAVASCRIPT),
    asset!("findings.js", JAVASCRIPT),
    asset!("head.js", JAVASCRIPT),
    asset!("network.js", JAVASCRIPT),
    asset!("outcome.js", JAVASCRIPT),
    asset!("parts.js", JAVASCRIPT),
    asset!("quantity.js", JAVASCRIPT),
    asset!("router.js", JAVASCRIPT),
    asset!("rpc.js", JAVASCRIPT),
    asset!("search.js", JAVASCRIPT),
    asset!("send.js", JAVASCRIPT),
    asset!("tokens.js", JAVASCRIPT),
    asset!("transfers.js", JAVASCRIPT),
    asset!("wallets.js", JAVASCRIPT),
    asset!("words.js", JAVASCRIPT),
    asset!("views/address.js", JAVASCRIPT),
    asset!("views/block.js", JAVASCRIPT),
    asset!("views/faucet.js", JAVASCRIPT),
    asset!("views/home.js", JAVASCRIPT),
    asset!("views/token.js", JAVASCRIPT),
    asset!("views/transaction.js", JAVASCRIPT),
    asset!("views/wallet.js", JAVASCRIPT),
];

/// A file by its name.
pub(crate) fn find(name: &str) -> Option<&'static Asset> {
    FILES.iter().find(|asset| asset.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    fn names_below(folder: &Path, prefix: &str, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                names_below(&entry.path(), &format!("{name}/"), names);
            } else {
                names.insert(name);
            }
        }
    }

    #[test]
    fn every_file_of_the_folder_is_served() {
        let mut in_folder = BTreeSet::new();
        names_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("assets"), "", &mut in_folder);
        let served: BTreeSet<_> = FILES.iter().chain([&PAGE]).map(|asset| asset.name.to_owned()).collect();
        assert_eq!(served, in_folder);
    }

    #[test]
    fn nothing_comes_from_elsewhere() {
        // The name of a namespace is no address that anything is loaded from.
        for asset in FILES.iter().chain([&PAGE]) {
            let content = asset.content.replace("http://www.w3.org/2000/svg", "");
            assert!(!content.contains("http://") && !content.contains("https://"), "{}", asset.name);
        }
    }

    #[test]
    fn scripts_make_no_markup_of_texts() {
        for asset in FILES {
            for way in
                ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("]
            {
                assert!(!asset.content.contains(way), "{}: {way}", asset.name);
            }
        }
    }

    #[test]
    fn what_the_scripts_import_is_there() {
        for asset in FILES.iter().filter(|asset| asset.content_type == JAVASCRIPT) {
            let folder = asset.name.rsplit_once('/').map_or("", |(folder, _)| folder);
            for line in asset.content.lines().filter(|line| line.starts_with("import ")) {
                let name = line.rsplit_once(" from '").unwrap().1.trim_end_matches('\'');
                let path = match name.strip_prefix("../") {
                    Some(above) => above.to_owned(),
                    None if folder.is_empty() => name.trim_start_matches("./").to_owned(),
                    None => format!("{folder}/{}", name.trim_start_matches("./")),
                };
                assert!(find(&path).is_some(), "{}: {line}", asset.name);
            }
        }
    }
}
