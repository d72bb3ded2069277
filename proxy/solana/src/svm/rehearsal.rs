//! VMs in which the relay tries out what it is going to send.
//!
//! The program is the one on the cluster, read from its program data and kept for [`PROGRAM_KEPT`]. Making a VM and
//! translating the program takes longer than most rehearsals, so VMs are used again.

use super::Features;
use super::chain::{account_of, vm};
use crate::failure::transaction_failed;
use async_trait::async_trait;
use litesvm::LiteSVM;
use parhelion_core::cluster::{ACCOUNTS_MAX, Account, Cluster, ClusterError};
use parhelion_core::rehearsal::{Rehearsal, Stage, Tried};
use parhelion_sdk::address::program_data_address;
use parhelion_sdk::transaction::HEAP_BYTES_MAX;
use solana_address::Address;
use solana_compute_budget::compute_budget::ComputeBudget;
use solana_loader_v3_interface::state::UpgradeableLoaderState;
use solana_sdk_ids::{bpf_loader_upgradeable, native_loader, sysvar};
use solana_transaction::versioned::VersionedTransaction;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

/// How long the program is believed to be the cluster's. After an upgrade rehearsals are off for so long at most, and
/// what was sized by them may fail and is sized again.
const PROGRAM_KEPT: Duration = Duration::from_secs(300);
/// VMs that are kept while nobody uses them.
const SPARE_MAX: usize = 4;
/// More than any run takes.
const COMPUTE_UNITS: u64 = 1 << 40;
/// What programs see of the cluster.
const SYSVARS: [Address; 3] = [sysvar::clock::ID, sysvar::rent::ID, sysvar::slot_hashes::ID];

/// Rehearsals with a cluster's program and accounts.
pub struct SvmRehearsal {
    cluster: Arc<dyn Cluster>,
    program_id: Address,
    features: Features,
    program: tokio::sync::Mutex<Option<(Instant, Arc<Vec<u8>>)>>,
    spare: Arc<Mutex<Vec<Vm>>>,
}

/// A VM with a program.
struct Vm {
    svm: LiteSVM,
    program: Arc<Vec<u8>>,
}

/// A VM in use.
struct Lent {
    /// Until it is given back.
    vm: Option<Vm>,
    program_id: Address,
    /// What was put there.
    addresses: Vec<Address>,
    spare: Arc<Mutex<Vec<Vm>>>,
}

impl SvmRehearsal {
    /// Rehearsals for a cluster with these features.
    #[must_use]
    pub fn new(cluster: Arc<dyn Cluster>, features: Features) -> Self {
        let program_id = cluster.deployment().program_id.into();
        Self { cluster, program_id, features, program: tokio::sync::Mutex::default(), spare: Arc::default() }
    }

    /// Rehearsals for another cluster with the same program id and features, or for this one seen in another way. They
    /// share their VMs.
    #[must_use]
    pub fn sharing(&self, cluster: Arc<dyn Cluster>) -> Self {
        Self { spare: Arc::clone(&self.spare), ..Self::new(cluster, self.features) }
    }

    /// The cluster's program, an ELF.
    async fn program(&self) -> Result<Arc<Vec<u8>>, ClusterError> {
        let mut kept = self.program.lock().await;
        if let Some((read, program)) = &*kept
            && read.elapsed() < PROGRAM_KEPT
        {
            return Ok(Arc::clone(program));
        }
        let address = program_data_address(&self.program_id);
        let account = self.cluster.accounts(&[address]).await?.accounts.pop().flatten();
        let elf = account.and_then(|account| {
            account.data.get(UpgradeableLoaderState::size_of_programdata_metadata()..).map(<[u8]>::to_vec)
        });
        let elf = elf.ok_or_else(|| {
            let text = format!("the program {} is not deployed, or cannot be upgraded", self.program_id);
            ClusterError::Unsupported(text)
        })?;
        // The same one stays the same, so that VMs that have it are used on.
        let program = match &*kept {
            Some((_, program)) if **program == elf => Arc::clone(program),
            _ => Arc::new(elf),
        };
        *kept = Some((Instant::now(), Arc::clone(&program)));
        Ok(program)
    }

    /// Accounts of the cluster, in batches.
    async fn accounts(&self, addresses: &[Address]) -> Result<Vec<(Address, Account)>, ClusterError> {
        let mut found = Vec::with_capacity(addresses.len());
        for batch in addresses.chunks(ACCOUNTS_MAX) {
            let accounts = self.cluster.accounts(batch).await?.accounts;
            let pairs = batch.iter().zip(accounts);
            found.extend(pairs.filter_map(|(address, account)| Some((*address, account?))));
        }
        Ok(found)
    }
}

/// A spare VM with this program, or a new one.
fn take(
    spare: &Mutex<Vec<Vm>>,
    program_id: Address,
    program: &Arc<Vec<u8>>,
    features: Features,
) -> Result<Vm, ClusterError> {
    {
        let mut spare = spare.lock().unwrap_or_else(PoisonError::into_inner);
        spare.retain(|vm| Arc::ptr_eq(&vm.program, program) || vm.program == *program);
        if let Some(vm) = spare.pop() {
            return Ok(vm);
        }
    }
    let budget = ComputeBudget {
        compute_unit_limit: COMPUTE_UNITS,
        heap_size: HEAP_BYTES_MAX,
        ..ComputeBudget::new_with_defaults(false)
    };
    let mut svm = vm(features).with_sigverify(false).with_compute_budget(budget);
    svm.add_program(program_id, program).map_err(|error| {
        ClusterError::Unsupported(format!("the cluster's program cannot be rehearsed: {error}"))
    })?;
    Ok(Vm { svm, program: Arc::clone(program) })
}

#[async_trait]
impl Rehearsal for SvmRehearsal {
    async fn stage(&self, addresses: &[Address]) -> Result<Box<dyn Stage>, ClusterError> {
        let program = self.program().await?;
        let accounts = self.accounts(&[&SYSVARS[..], addresses].concat()).await?;
        let (program_id, features, spare) = (self.program_id, self.features, Arc::clone(&self.spare));
        let stage = spawn_blocking(move || {
            let vm = take(&spare, program_id, &program, features)?;
            let mut lent = Lent { vm: Some(vm), program_id, addresses: Vec::new(), spare };
            for (address, account) in accounts {
                lent.set(address, account)?;
            }
            Ok::<_, ClusterError>(lent)
        });
        let stopped = |_| ClusterError::Unsupported("a rehearsal ended badly".to_owned());
        Ok(Box::new(stage.await.map_err(stopped)??))
    }
}

impl Stage for Lent {
    fn set(&mut self, address: Address, account: Account) -> Result<(), ClusterError> {
        let Some(Vm { svm, .. }) = &mut self.vm else { return Ok(()) };
        // Programs are there already.
        if [native_loader::ID, bpf_loader_upgradeable::ID].contains(&account.owner) {
            return Ok(());
        }
        self.addresses.push(address);
        svm.set_account(address, account_of(account))
            .map_err(|error| ClusterError::Unsupported(format!("account {address} cannot be set: {error}")))
    }

    fn run(&self, transaction: VersionedTransaction) -> Tried {
        let Some(Vm { svm, .. }) = &self.vm else {
            let error = ClusterError::Unsupported("the stage is closed".to_owned());
            return Tried { compute_units: 0, outcome: Err(error) };
        };
        let message = transaction.message.clone();
        match svm.simulate_transaction(transaction) {
            Ok(done) => {
                let accounts = done.post_accounts.into_iter().map(|(address, account)| {
                    let solana_account::Account { lamports, owner, data, .. } = account.into();
                    (address, Account { lamports, owner, data })
                });
                Tried { compute_units: done.meta.compute_units_consumed, outcome: Ok(accounts.collect()) }
            }
            Err(failed) => {
                let error = transaction_failed(&failed.err, &message, &self.program_id, failed.meta.logs);
                Tried { compute_units: failed.meta.compute_units_consumed, outcome: Err(error) }
            }
        }
    }
}

impl Drop for Lent {
    /// Gives the VM back without what was put there.
    fn drop(&mut self) {
        let Some(mut vm) = self.vm.take() else { return };
        let is_clean = self.addresses.iter().filter(|address| !SYSVARS.contains(address)).all(|address| {
            let nothing = solana_account::Account::new(0, 0, &solana_sdk_ids::system_program::ID);
            vm.svm.set_account(*address, nothing).is_ok()
        });
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if is_clean && spare.len() < SPARE_MAX {
            spare.push(vm);
        }
    }
}

impl std::fmt::Debug for SvmRehearsal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SvmRehearsal").field("program_id", &self.program_id).finish_non_exhaustive()
    }
}
