//! The deployer over the in-process VM, whose loader is Solana's own, with what can go wrong on the way.
//!
//! `PARHELION_PROGRAM` names the program's binary; without it there is nothing to deploy, and the tests say so.

use crate::on_chain::{BufferState, buffer};
use crate::{DeployError, Deployer, Operator, Progress, Settings, Silent, on_chain, verify};
use async_trait::async_trait;
use parhelion_core::cluster::{Clock, Cluster, ClusterError, LandedBlock, Simulation, Snapshot};
use parhelion_sdk::EthereumAddress;
use parhelion_sdk::loader;
use parhelion_sdk::transaction::{V0_BYTES_MAX, size};
use parhelion_solana::{Features, SvmCluster, SvmOptions};
use parhelion_wire::address::Deployment;
use parhelion_wire::instruction::Initialize;
use solana_address::Address;
use solana_hash::Hash;
use solana_keypair::Keypair;
use solana_signature::Signature;
use solana_signer::Signer;
use solana_transaction::versioned::VersionedTransaction;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;

const SOL: u64 = 1_000_000_000;
/// Where the VM has a program from the beginning.
const PRESENT: Address = Address::new_from_array([99; 32]);

/// The program's binary.
fn program() -> Option<Vec<u8>> {
    let Some(path) = std::env::var_os("PARHELION_PROGRAM") else {
        eprintln!("not run: PARHELION_PROGRAM names no program; `cargo xtask test` builds one");
        return None;
    };
    Some(std::fs::read(path).expect("PARHELION_PROGRAM can be read"))
}

/// A VM in which transactions get lost as the test says.
struct World {
    svm: SvmCluster,
    program_id: Address,
    /// The number of each sent transaction goes in; what happens instead of landing comes out.
    accident: Mutex<Box<dyn Fn(u64) -> Option<ClusterError> + Send>>,
    sent: AtomicU64,
    largest: AtomicU64,
}

impl World {
    async fn new(file: &[u8], program_id: Address, authority: &Keypair) -> Self {
        Self::with_features(file, program_id, authority, Features::Mainnet).await
    }

    async fn with_features(
        file: &[u8],
        program_id: Address,
        authority: &Keypair,
        features: Features,
    ) -> Self {
        let svm = SvmCluster::start(&SvmOptions {
            // Another copy of the program: the VM does not start without one.
            program_id: PRESENT,
            program: file.to_vec(),
            upgrade_authority: authority.pubkey(),
            features,
        })
        .expect("starts");
        svm.airdrop(authority.pubkey(), 100 * SOL).await.expect("airdrop");
        let accident: Box<dyn Fn(u64) -> Option<ClusterError> + Send> = Box::new(|_| None);
        let (sent, largest) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { svm, program_id, accident: Mutex::new(accident), sent, largest }
    }

    fn accidents(&self, accident: impl Fn(u64) -> Option<ClusterError> + Send + 'static) {
        self.sent.store(0, Ordering::Relaxed);
        *self.accident.lock().expect("no panic") = Box::new(accident);
    }

    fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    async fn lamports(&self, address: Address) -> u64 {
        let accounts = self.svm.accounts(&[address]).await.expect("reads").accounts;
        accounts[0].as_ref().map_or(0, |account| account.lamports)
    }
}

#[async_trait]
impl Cluster for World {
    fn deployment(&self) -> Deployment {
        parhelion_sdk::address::deployment(&self.program_id)
    }

    async fn accounts(&self, addresses: &[Address]) -> Result<Snapshot, ClusterError> {
        self.svm.accounts(addresses).await
    }

    async fn clock(&self) -> Result<Clock, ClusterError> {
        self.svm.clock().await
    }

    async fn slot_hashes(&self) -> Result<Vec<(u64, [u8; 32])>, ClusterError> {
        self.svm.slot_hashes().await
    }

    async fn rent_exemption(&self, data_length: usize) -> Result<u64, ClusterError> {
        self.svm.rent_exemption(data_length).await
    }

    async fn latest_blockhash(&self) -> Result<Hash, ClusterError> {
        self.svm.latest_blockhash().await
    }

    async fn send(&self, transaction: &VersionedTransaction) -> Result<Signature, ClusterError> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        self.largest.fetch_max(size(transaction) as u64, Ordering::Relaxed);
        let accident = (self.accident.lock().expect("no panic"))(number);
        match accident {
            Some(error) => Err(error),
            None => self.svm.send(transaction).await,
        }
    }

    async fn simulate(&self, transaction: &VersionedTransaction) -> Result<Simulation, ClusterError> {
        self.svm.simulate(transaction).await
    }

    fn newest_slot(&self) -> watch::Receiver<u64> {
        self.svm.newest_slot()
    }

    async fn blocks(&self, first: u64, last: u64) -> Result<Vec<LandedBlock>, ClusterError> {
        self.svm.blocks(first, last).await
    }
}

async fn deployer<'a>(world: &'a World, authority: &'a Keypair) -> Deployer<'a> {
    // The VM makes no slots of its own: there is nothing to wait for.
    let settings = Settings { slot_wait: Duration::ZERO, ..Settings::default() };
    Deployer::connect(world, authority, settings, &Silent).await.expect("connects")
}

async fn buffer_file(world: &World, authority: &Keypair) -> Option<Vec<u8>> {
    match buffer(world, &authority.pubkey(), &world.program_id).await.expect("reads") {
        BufferState::Ours(buffer) => Some(buffer.file),
        BufferState::Absent { .. } => None,
    }
}

fn initialize(chain_id: u64, authority: &Keypair) -> Initialize {
    Initialize { chain_id, base_fee: 7, block_gas_limit: 9, authority: authority.pubkey().to_bytes() }
}

/// The last round of a life: everything fails from the `n`th transaction on.
fn power_failure(n: u64) -> impl Fn(u64) -> Option<ClusterError> {
    move |number| (number >= n).then(|| ClusterError::Unsupported("power failure".to_owned()))
}

#[tokio::test]
async fn a_program_is_deployed_and_verified() {
    let Some(file) = program() else { return };
    let (authority, key) = (Keypair::new(), Keypair::new());
    let world = World::new(&file, key.pubkey(), &authority).await;
    let deployer = deployer(&world, &authority).await;
    assert!(matches!(verify(&world, &file).await, Err(DeployError::Missing(_))));
    let before = world.lamports(authority.pubkey()).await;
    let deployed = deployer.deploy(&file, Some(&key)).await.expect("deploys");
    assert!(deployed.now && deployed.authority == Some(authority.pubkey()));
    assert_eq!(buffer_file(&world, &authority).await, None, "the buffer became the program");
    let rents = [loader::PROGRAM_BYTES, loader::program_data_bytes(file.len())];
    let mut paid = 0;
    for rent in rents {
        paid += world.rent_exemption(rent).await.expect("rent");
    }
    let fees = before - world.lamports(authority.pubkey()).await - paid;
    assert!(fees < SOL / 100, "nothing but rent and fees was paid: {fees}");
    assert!(world.sent() < file.len() as u64 / 3_000, "{} transactions are too many", world.sent());

    let verified = verify(&world, &file).await.expect("reads");
    assert_eq!((verified.difference, verified.on_chain_sha256), (None, verified.file_sha256));

    // Once more: nothing happens, with or without the program's key.
    let sent = world.sent();
    for key in [Some(&key), None] {
        let again = deployer.deploy(&file, key).await.expect("is there");
        assert!(!again.now && again.slot == deployed.slot);
    }
    assert_eq!(world.sent(), sent);
}

#[tokio::test]
async fn a_chain_is_initialised_once_and_its_operators_are_funded() {
    let Some(file) = program() else { return };
    let authority = Keypair::new();
    // The copy that the VM started with: it runs programs that were there from the beginning only.
    let world = World::new(&file, PRESENT, &authority).await;
    let deployer = deployer(&world, &authority).await;
    assert!(!deployer.deploy(&file, None).await.expect("is there").now);
    assert!(deployer.config().await.expect("reads").is_none());
    let chain = deployer.initialize(&initialize(5, &authority)).await.expect("initialises");
    assert!(chain.now && chain.config.chain_id() == 5 && chain.config.base_fee() == 7);
    let sent = world.sent();
    let again = deployer.initialize(&Initialize { base_fee: 8, ..initialize(5, &authority) }).await;
    let again = again.expect("is there");
    assert!(!again.now && again.config.base_fee() == 7, "settings stay");
    let other = deployer.initialize(&initialize(6, &authority)).await;
    assert!(matches!(other, Err(DeployError::OtherChainId { there: 5, asked: 6 })), "{other:?}");
    assert_eq!(world.sent(), sent);

    let operator =
        Operator { address: Address::new_unique(), fee_recipient: Some(EthereumAddress::repeat_byte(3)) };
    for expected in [2 * SOL, 0] {
        assert_eq!(deployer.fund(&[operator], 2 * SOL).await.expect("funds"), expected);
        assert_eq!(world.lamports(operator.address).await, 2 * SOL);
    }
}

#[tokio::test]
async fn an_interrupted_upload_goes_on_where_it_stopped() {
    let Some(file) = program() else { return };
    let (authority, key) = (Keypair::new(), Keypair::new());
    let world = World::new(&file, key.pubkey(), &authority).await;
    let first = deployer(&world, &authority).await;
    world.accidents(power_failure(101));
    let failed = first.deploy(&file, Some(&key)).await;
    assert!(matches!(failed, Err(DeployError::Cluster(ClusterError::Unsupported(_)))), "{failed:?}");
    let half = buffer_file(&world, &authority).await.expect("is there");
    assert!(half != file && half.iter().any(|byte| *byte != 0));

    // Somebody damages what is written; nobody remembers anything.
    let address = loader::buffer_address(&authority.pubkey(), &key.pubkey());
    let mut account = world.accounts(&[address]).await.expect("reads").accounts[0].clone().expect("is there");
    account.data[loader::buffer_bytes(0) + 2_000] ^= 1;
    world.svm.set_account(address, account).await.expect("set");
    world.accidents(|_| None);
    let second = deployer(&world, &authority).await;
    assert!(second.deploy(&file, Some(&key)).await.expect("deploys").now);
    let all = (file.len() as u64).div_ceil(3 * 1216);
    assert!(world.sent() < all - 80, "{} transactions: it began anew", world.sent());
    assert_eq!(verify(&world, &file).await.expect("reads").difference, None);
}

#[tokio::test]
async fn lost_and_expired_transactions_are_written_again() {
    let Some(file) = program() else { return };
    let (authority, key) = (Keypair::new(), Keypair::new());
    let world = World::new(&file, key.pubkey(), &authority).await;
    let deployer = deployer(&world, &authority).await;
    // Every third one expires and is signed anew, every seventh gets no answer.
    world.accidents(|number| match number {
        0 => None,
        number if number.is_multiple_of(7) && number < 200 => {
            Some(ClusterError::Unreachable("no answer".to_owned()))
        }
        number if number.is_multiple_of(3) => Some(ClusterError::Expired),
        _ => None,
    });
    assert!(deployer.deploy(&file, Some(&key)).await.expect("deploys").now);
    assert_eq!(verify(&world, &file).await.expect("reads").difference, None);
}

#[tokio::test]
async fn a_buffer_that_cannot_be_written_is_told() {
    let Some(file) = program() else { return };
    let (authority, key) = (Keypair::new(), Keypair::new());
    let world = World::new(&file, key.pubkey(), &authority).await;
    let deployer = deployer(&world, &authority).await;
    world.accidents(|number| (number > 0).then(|| ClusterError::Unreachable("no answer".to_owned())));
    let failed = deployer.deploy(&file, Some(&key)).await;
    let Err(DeployError::NotWritten { missing, rounds, why }) = failed else { panic!("{failed:?}") };
    assert!(
        missing > file.len() / 2 && rounds == crate::ROUNDS_MAX && why.contains("no answer"),
        "{missing} {why}"
    );
}

#[tokio::test]
async fn a_cluster_without_v1_gets_smaller_transactions() {
    let Some(file) = program() else { return };
    let (authority, key) = (Keypair::new(), Keypair::new());
    let world = World::with_features(&file, key.pubkey(), &authority, Features::WithoutV1).await;
    let deployer = deployer(&world, &authority).await;
    assert!(deployer.deploy(&file, Some(&key)).await.expect("deploys").now);
    assert_eq!(verify(&world, &file).await.expect("reads").difference, None);
    assert!(world.largest.load(Ordering::Relaxed) <= V0_BYTES_MAX as u64);
}

#[tokio::test]
async fn an_abandoned_upload_gives_its_rent_back() {
    let Some(file) = program() else { return };
    let (authority, key) = (Keypair::new(), Keypair::new());
    let world = World::new(&file, key.pubkey(), &authority).await;
    let deployer = deployer(&world, &authority).await;
    assert_eq!(deployer.abandon().await.expect("nothing to do"), None);
    let before = world.lamports(authority.pubkey()).await;
    world.accidents(power_failure(20));
    assert!(deployer.deploy(&file, Some(&key)).await.is_err());
    world.accidents(|_| None);
    let back = deployer.abandon().await.expect("closes").expect("there was one");
    let rent = world.rent_exemption(loader::buffer_bytes(file.len())).await.expect("rent");
    assert_eq!(back, rent);
    assert!(before - world.lamports(authority.pubkey()).await < SOL / 100, "fees only");
    // Another size finds no buffer in its way, nor does a gift at the buffer's address.
    let address = loader::buffer_address(&authority.pubkey(), &key.pubkey());
    world.svm.airdrop(address, 1).await.expect("airdrop");
    assert!(deployer.deploy(&file, Some(&key)).await.expect("deploys").now);
}

#[tokio::test]
async fn a_larger_version_makes_room_for_itself() {
    let Some(file) = program() else { return };
    let (authority, key) = (Keypair::new(), Keypair::new());
    let world = World::new(&file, key.pubkey(), &authority).await;
    let deployer = deployer(&world, &authority).await;
    assert!(matches!(deployer.upgrade(&file).await, Err(DeployError::Missing(_))));
    deployer.deploy(&file, Some(&key)).await.expect("deploys");
    assert!(!deployer.upgrade(&file).await.expect("is there").now);

    // An ELF file may be longer than its sections.
    let larger = [file.as_slice(), &[1; 3000]].concat();
    let verified = verify(&world, &larger).await.expect("reads");
    assert_eq!(verified.difference, Some(file.len()));
    assert!(matches!(deployer.deploy(&larger, Some(&key)).await, Err(DeployError::OtherVersion(_))));

    let stranger = Keypair::new();
    world.svm.airdrop(stranger.pubkey(), 100 * SOL).await.expect("airdrop");
    let sent = world.sent();
    let refused = self::deployer(&world, &stranger).await.upgrade(&larger).await;
    let Err(DeployError::NotAuthority { holder, ours, .. }) = &refused else { panic!("{refused:?}") };
    assert_eq!((*holder, *ours), (authority.pubkey(), stranger.pubkey()));
    assert_eq!(world.sent(), sent, "nothing was paid for");

    let upgraded = deployer.upgrade(&larger).await.expect("upgrades");
    assert!(upgraded.now && upgraded.extended == 10_240, "{upgraded:?}");
    assert_eq!(verify(&world, &larger).await.expect("reads").difference, None);
    // Back to the smaller one: zeros follow it.
    let upgraded = deployer.upgrade(&file).await.expect("upgrades");
    assert!(upgraded.now && upgraded.extended == 0, "{upgraded:?}");
    let there = on_chain(&world, key.pubkey()).await.expect("reads").expect("is there");
    assert_eq!(there.file.len(), file.len() + 10_240);
    assert_eq!(verify(&world, &file).await.expect("reads").difference, None);
}

#[tokio::test]
async fn too_few_lamports_are_told_before_any_is_spent() {
    let Some(file) = program() else { return };
    let (authority, key) = (Keypair::new(), Keypair::new());
    let world = World::new(&file, key.pubkey(), &authority).await;
    let poor = Keypair::new();
    world.svm.airdrop(poor.pubkey(), SOL).await.expect("airdrop");
    let failed = deployer(&world, &poor).await.deploy(&file, Some(&key)).await;
    let Err(DeployError::Poor { needed, has, .. }) = failed else { panic!("{failed:?}") };
    assert!(has == SOL && needed > 2 * SOL);
    assert_eq!(world.sent(), 0);
    // And with exactly that it works.
    world.svm.airdrop(poor.pubkey(), needed - has).await.expect("airdrop");
    assert!(deployer(&world, &poor).await.deploy(&file, Some(&key)).await.expect("deploys").now);
}

#[tokio::test]
async fn other_accounts_are_no_programs() {
    let Some(file) = program() else { return };
    let (authority, key) = (Keypair::new(), Keypair::new());
    let world = World::new(&file, key.pubkey(), &authority).await;
    let deployer = deployer(&world, &authority).await;
    assert!(matches!(deployer.deploy(&file, None).await, Err(DeployError::KeyNeeded(_))));
    assert!(matches!(deployer.deploy(b"text", Some(&key)).await, Err(DeployError::NoProgramFile(_))));
    world.svm.airdrop(key.pubkey(), SOL).await.expect("airdrop");
    let failed = deployer.deploy(&file, Some(&key)).await;
    assert!(matches!(failed, Err(DeployError::NoProgramAccount { .. })), "{failed:?}");
    assert_eq!(world.sent(), 0);
}

#[tokio::test]
async fn the_upload_tells_how_far_it_is() {
    struct Log(Mutex<Vec<(usize, usize)>>);
    impl Progress for Log {
        fn step(&self, _what: &str) {}
        fn written(&self, bytes: usize, of: usize) {
            self.0.lock().expect("no panic").push((bytes, of));
        }
    }
    let Some(file) = program() else { return };
    let (authority, key) = (Keypair::new(), Keypair::new());
    let world = World::new(&file, key.pubkey(), &authority).await;
    let log = Log(Mutex::new(Vec::new()));
    let settings = Settings { slot_wait: Duration::ZERO, ..Settings::default() };
    let deployer = Deployer::connect(&world, &authority, settings, &log).await.expect("connects");
    deployer.deploy(&file, Some(&key)).await.expect("deploys");
    let told = log.0.into_inner().expect("no panic");
    assert!(told.is_sorted() && told.first().is_some_and(|first| first.0 < file.len()));
    assert_eq!(told.last(), Some(&(file.len(), file.len())));
}
