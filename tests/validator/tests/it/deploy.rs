//! `parhelion deploy`, `upgrade` and `verify`.

use crate::world::{World, say};
use parhelion_core::cluster::Cluster as _;
use parhelion_sdk::loader;
use parhelion_sdk::transaction::{Budget, Format, sign};
use parhelion_validator::Options;
use parhelion_validator::process::{Output, Process};
use parhelion_validator::validator::GenesisProgram;
use solana_address::Address;
use solana_keypair::Keypair;
use solana_signer::Signer as _;
use std::process::Command;
use std::time::{Duration, Instant};

const SOL: u64 = 1_000_000_000;

#[tokio::test]
async fn a_program_is_deployed_verified_and_upgraded() {
    let world = World::start(Options::default());
    let (id, file) = (world.program.pubkey().to_string(), world.file.clone());
    let text = say(&mut world.verify(&file)).refused();
    assert!(text.contains("no program at") && text.contains("parhelion deploy"), "{text}");

    // Two operators: one by its key, one by its address.
    let (near, far) = (Keypair::new(), Keypair::new());
    let near_file = world.write_key("near", &near);
    let mut deploy = world.deploy(&file);
    deploy.args(["--chain-id", "777", "--base-fee", "5", "--operator-lamports", "3000000000"]);
    deploy.arg("--fund-operator").arg(&near_file).args(["--fund-operator", &far.pubkey().to_string()]);
    let text = say(&mut deploy).ok();
    for line in ["Deployed   in slot", "Chain id   777, initialised", "Base fee   5", "parhelion run", &id] {
        assert!(text.contains(line), "{line} in {text}");
    }
    for operator in [&near, &far] {
        assert_eq!(world.lamports(operator.pubkey()).await, 3 * SOL);
    }
    assert_eq!(world.buffer().await, None, "the buffer's rent came back");
    let text = say(&mut world.verify(&file)).ok();
    assert!(text.contains("The same"), "{text}");

    // Once more: nothing is paid twice.
    let before = world.lamports(world.authority.pubkey()).await;
    let text = say(&mut deploy).ok();
    assert!(text.contains("Is there   in slot") && !text.contains("initialised"), "{text}");
    assert_eq!(world.lamports(world.authority.pubkey()).await, before);

    // A larger version.
    let larger = world.folder.path().join("larger.so");
    let mut bytes = std::fs::read(&file).expect("reads");
    bytes.extend_from_slice(&[1; 20_000]);
    std::fs::write(&larger, &bytes).expect("written");
    let text = say(&mut world.verify(&larger)).refused();
    assert!(text.contains("they differ, from byte"), "{text}");
    let text = say(&mut world.deploy(&larger)).refused();
    assert!(text.contains("parhelion upgrade"), "{text}");

    // Somebody else may not, and pays nothing for trying.
    let stranger = world.write_key("stranger", &far);
    let text = say(&mut world.upgrade(&larger, &stranger)).refused();
    assert!(text.contains(&format!("may be changed by {} only", world.authority.pubkey())), "{text}");
    assert_eq!(world.lamports(far.pubkey()).await, 3 * SOL);

    let authority = world.key("authority");
    let text = say(&mut world.upgrade(&larger, &authority)).ok();
    assert!(text.contains("Extended   by 20000 bytes") && text.contains("Upgraded   in slot"), "{text}");
    assert!(say(&mut world.verify(&larger)).ok().contains("The same"));
    let text = say(&mut world.upgrade(&larger, &authority)).ok();
    assert!(text.contains("nothing to do"), "{text}");
    // The smaller one again, with zeros behind it.
    assert!(say(&mut world.upgrade(&file, &authority)).ok().contains("Upgraded   in slot"));
    assert!(say(&mut world.verify(&file)).ok().contains("The same"));
}

#[tokio::test]
async fn an_interrupted_deployment_goes_on_and_can_be_abandoned() {
    let world = World::start(Options::default());
    let file = std::fs::read(&world.file).expect("reads");
    interrupt_deployment(&world, file.len()).await;

    // A piece is damaged meanwhile.
    let cluster = world.cluster().await;
    let (authority, id) = (world.authority.pubkey(), world.program.pubkey());
    let damage = loader::write(&authority, &id, 100, &[0xee; 700]);
    let blockhash = cluster.latest_blockhash().await.expect("answers");
    let transaction = sign(&[damage], &authority, &[&world.authority], blockhash, &Budget::MAX, Format::V1);
    cluster.send(&transaction.expect("valid")).await.expect("lands");

    let text = say(&mut world.deploy(&world.file)).ok();
    assert!(text.contains("going on with the buffer") && text.contains("Deployed   in slot"), "{text}");
    assert!(text.contains("run the same command with --chain-id"), "{text}");
    assert!(say(&mut world.verify(&world.file)).ok().contains("The same"));

    // Another program id, given up: everything but the fees comes back.
    let other = World { program: Keypair::new(), ..world };
    other.write_key("program", &other.program);
    let before = other.lamports(authority).await;
    interrupt_deployment(&other, file.len()).await;
    assert!(before - other.lamports(authority).await > SOL, "the rent is in the buffer");
    let text = say(other.deploy(&other.file).arg("--abandon")).ok();
    assert!(text.contains("lamports came back"), "{text}");
    assert_eq!(other.buffer().await, None);
    assert!(before - other.lamports(authority).await < SOL / 100);
}

/// Starts to deploy, one transaction after the other, and interrupts when some pieces have landed.
async fn interrupt_deployment(world: &World, length: usize) {
    let log = world.folder.path().join("interrupted.log");
    let mut deploy = world.deploy(&world.file);
    deploy.args(["--parallel", "1"]);
    let deploy = Process::start(deploy, &Output::File(log.clone())).expect("starts");
    let started = Instant::now();
    let is_begun =
        |buffer: Option<Vec<u8>>| buffer.is_some_and(|buffer| buffer.iter().any(|byte| *byte != 0));
    while !is_begun(world.buffer().await) {
        assert!(started.elapsed() < Duration::from_secs(60) && deploy.ended().is_none());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    deploy.stop();
    let status = deploy.ended().expect("it ended");
    assert_eq!(status.code(), Some(1));
    let text = parhelion_validator::process::tail(&log);
    assert!(text.contains("interrupted") && text.contains("--abandon"), "{text}");
    let buffer = world.buffer().await.expect("it stays");
    assert_eq!(buffer.len(), length);
    assert_ne!(buffer, std::fs::read(&world.file).expect("reads"));
}

#[tokio::test]
async fn a_cluster_without_v1_transactions_is_served_too() {
    let v1 = agave_feature_set::enable_tx_v1::id();
    let world = World::start(Options { features_off: vec![v1], ..Options::default() });
    let text = say(world.deploy(&world.file).args(["--parallel", "128", "--chain-id", "9"])).ok();
    assert!(text.contains("Deployed   in slot") && text.contains("Chain id   9, initialised"), "{text}");
    assert!(say(&mut world.verify(&world.file)).ok().contains("The same"));
}

#[tokio::test]
async fn a_killed_validator_comes_back_with_its_ledger() {
    let (authority, program) = (Keypair::new(), Keypair::new());
    let file = crate::world::named("PARHELION_PROGRAM");
    let at_genesis =
        GenesisProgram { program_id: program.pubkey(), file: file.clone(), authority: authority.pubkey() };
    let world = World::start(Options { programs: vec![at_genesis], ..Options::default() });
    let mut world = World { program, ..world };
    world.write_key("upgrade-authority", &authority);
    assert!(say(&mut world.verify(&file)).ok().contains("The same"), "it is there from the beginning");
    let payee = Address::new_unique();
    let text = say(Command::new(crate::world::named("PARHELION_NODE")).args([
        "deploy",
        "--solana-url",
        &world.validator.url(),
        "--authority",
        &world.key("authority").to_string_lossy(),
        "--program-id",
        &world.program.pubkey().to_string(),
        "--program",
        &file.to_string_lossy(),
        "--fund-operator",
        &payee.to_string(),
    ]))
    .refused();
    assert!(text.contains("give its --chain-id"), "{text}");

    let before = world.cluster().await.clock().await.expect("answers").slot;
    let url = world.validator.url();
    world.validator.kill();
    assert!(say(&mut world.verify(&file)).refused().contains("does not answer"));
    world.validator.restart().expect("starts again");
    assert_eq!(world.validator.url(), url);
    assert!(world.cluster().await.clock().await.expect("answers").slot >= before, "it did not begin anew");
    assert!(say(&mut world.verify(&file)).ok().contains("The same"));
}
