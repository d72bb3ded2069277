//! `cargo xtask check-deps`: crates depend one way, and one crate knows the target.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::{context::Context, files, process};

/// Checks which crate depends on which, and that only program/entrypoint asks for what it is compiled.
#[derive(clap::Args, Default)]
pub(crate) struct Args {}

/// The crates of ours that a crate may depend on.
enum Allowed {
    /// These and no others.
    Only(&'static [&'static str]),
    /// Any: this crate wires the others together, or tests them.
    Any,
}

/// The rule for the crate in a folder, or None for a folder that has no rule yet.
fn allowed(folder: &str) -> Option<Allowed> {
    use Allowed::{Any, Only};
    Some(match folder {
        "program/wire" | "program/evm" | "proxy/explorer" | "deploy/xtask" => Only(&[]),
        "program/executor" => Only(&["program/wire", "program/evm"]),
        "program/entrypoint" => Only(&["program/wire", "program/evm", "program/executor"]),
        "sdk" | "proxy/core" => Only(&["program/wire"]),
        "proxy/node" => Any,
        _ if folder.starts_with("proxy/") => {
            Only(&["proxy/core", "sdk", "program/wire", "program/evm", "program/executor"])
        }
        _ if folder.starts_with("tests/") => Any,
        _ => return None,
    })
}

/// A crate of the workspace and the crates of the workspace that it depends on, by folder.
type Graph = BTreeMap<String, Vec<String>>;

/// The breaches of the rules in a graph, as sentences.
fn breaches(graph: &Graph) -> Vec<String> {
    let mut found = Vec::new();
    for (folder, dependencies) in graph {
        let Some(rule) = allowed(folder) else {
            found.push(format!("{folder} has no rule: add one in deploy/xtask/src/commands/check_deps.rs"));
            continue;
        };
        let Allowed::Only(names) = rule else { continue };
        let forbidden = dependencies.iter().filter(|dependency| !names.contains(&dependency.as_str()));
        found.extend(forbidden.map(|dependency| {
            let names = if names.is_empty() { "no crate of ours".to_owned() } else { names.join(", ") };
            format!("{folder} depends on {dependency}; it may depend on: {names}")
        }));
    }
    found
}

/// Where a source or a manifest names the operating system or the architecture that it is compiled for: line
/// numbers. Comments of sources may.
fn target_conditions(source: &str) -> Vec<usize> {
    let code = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    let names_target = |line: &str| ["target_os", "target_arch"].iter().any(|word| code(line).contains(word));
    source.lines().zip(1..).filter(|(line, _)| names_target(line)).map(|(_, number)| number).collect()
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    manifest_path: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    /// `dev`, `build` or, for a normal dependency, null.
    kind: Option<String>,
    /// The folder of a crate that is not from the registry.
    path: Option<String>,
}

/// The graph of the workspace's crates. What only a crate's tests use does not count: it never ships.
fn graph(metadata: &Metadata, root: &Path) -> Graph {
    let folder = |path: &Path| path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
    let in_graph = |package: &Package| {
        let shipped =
            package.dependencies.iter().filter(|dependency| dependency.kind.as_deref() != Some("dev"));
        let ours = shipped.filter_map(|dependency| dependency.path.as_deref());
        let manifest = Path::new(&package.manifest_path);
        (folder(manifest.parent().unwrap_or(manifest)), ours.map(|path| folder(Path::new(path))).collect())
    };
    metadata.packages.iter().map(in_graph).collect()
}

pub(crate) fn run(context: &Context, _args: &Args) -> Result<()> {
    let mut cargo = context.cargo()?;
    // Without --no-deps cargo resolves the lock file, and --locked refuses one that is out of date.
    let json = process::capture(cargo.args(["metadata", "--format-version", "1", "--no-deps"]))?;
    process::capture(context.cargo()?.args(["metadata", "--format-version", "1", "--locked"])).context(
        "Cargo.lock does not fit the manifests: run `cargo metadata >/dev/null` and commit Cargo.lock",
    )?;
    let metadata: Metadata =
        serde_json::from_str(&json).context("cargo metadata wrote something else than before")?;
    let graph = graph(&metadata, &context.root);
    let mut found = breaches(&graph);

    let law = |file: &Path| {
        file.starts_with("program")
            && !file.starts_with("program/entrypoint")
            && file.extension().is_some_and(|extension| extension == "rs" || extension == "toml")
    };
    for file in files::project_files(&context.root)?.iter().filter(|file| law(file)) {
        let source = String::from_utf8_lossy(&files::read(&context.root.join(file))?).into_owned();
        let place = |line| format!("{}:{line} names the target: only program/entrypoint may", file.display());
        found.extend(target_conditions(&source).into_iter().map(place));
    }
    if !found.is_empty() {
        bail!("the house rules (DESIGN: the house, invariant 1) are broken:\n  {}", found.join("\n  "));
    }
    println!("{} crates depend the right way; only program/entrypoint knows the target", graph.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(edges: &[(&str, &[&str])]) -> Vec<String> {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        breaches(&edges.iter().map(|&(folder, names)| (folder.to_owned(), owned(names))).collect())
    }

    #[test]
    fn the_designed_graph_is_allowed() {
        let graph: [(&str, &[&str]); 13] = [
            ("program/wire", &[]),
            ("program/evm", &[]),
            ("program/executor", &["program/wire", "program/evm"]),
            ("program/entrypoint", &["program/wire", "program/evm", "program/executor"]),
            ("sdk", &["program/wire"]),
            ("proxy/core", &["program/wire"]),
            ("proxy/rpc", &["proxy/core"]),
            ("proxy/explorer", &[]),
            ("proxy/emulator", &["proxy/core", "program/executor", "program/evm", "program/wire", "sdk"]),
            ("proxy/relay", &["proxy/core", "sdk"]),
            ("proxy/node", &["proxy/core", "proxy/rpc", "proxy/explorer", "proxy/emulator"]),
            ("tests/harness", &["proxy/node", "sdk"]),
            ("deploy/xtask", &[]),
        ];
        assert_eq!(check(&graph), Vec::<String>::new());
    }

    #[test]
    fn each_wrong_direction_is_told() {
        let wrong = [
            ("program/wire", "program/evm"),
            ("program/evm", "program/wire"),
            ("program/executor", "sdk"),
            ("program/executor", "program/entrypoint"),
            ("program/entrypoint", "proxy/core"),
            ("sdk", "program/executor"),
            ("proxy/core", "sdk"),
            ("proxy/rpc", "proxy/emulator"),
            ("proxy/explorer", "proxy/rpc"),
            ("proxy/emulator", "proxy/solana"),
            ("proxy/relay", "proxy/node"),
            ("proxy/emulator", "program/entrypoint"),
            ("deploy/xtask", "sdk"),
        ];
        for (from, to) in wrong {
            let found = check(&[(from, &[to])]);
            assert_eq!(found.len(), 1, "{from} -> {to}");
            assert!(found[0].starts_with(&format!("{from} depends on {to}")), "{found:?}");
        }
    }

    #[test]
    fn a_crate_in_a_new_place_needs_a_rule() {
        assert!(check(&[("program/extra", &[])])[0].starts_with("program/extra has no rule"));
        assert!(check(&[("tools/x", &[])])[0].starts_with("tools/x has no rule"));
        assert!(
            check(&[("proxy/pool", &["proxy/core"])]).is_empty(),
            "a new sibling falls under the siblings' rule"
        );
    }

    #[test]
    fn conditions_on_the_target_are_found_outside_comments() {
        let source = "// cfg(target_os) is for entrypoint\n#[cfg(not(target_os = \"solana\"))]\nfn f() {}\n\
                      #[cfg(any(\n    target_arch = \"bpf\",\n))]\nfn g() {} // not target_os\n";
        assert_eq!(target_conditions(source), [2, 5]);
    }

    #[test]
    fn metadata_becomes_a_graph_without_test_dependencies() -> Result<()> {
        let json = r#"{"packages": [{"manifest_path": "/c/proxy/rpc/Cargo.toml", "dependencies": [
            {"kind": null, "path": "/c/proxy/core"}, {"kind": "dev", "path": "/c/proxy/pool"},
            {"kind": "build", "path": "/c/sdk"}, {"kind": null}]}]}"#;
        let graph = graph(&serde_json::from_str(json)?, Path::new("/c"));
        assert_eq!(graph["proxy/rpc"], ["proxy/core", "sdk"]);
        Ok(())
    }
}
