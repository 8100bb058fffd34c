//! What runs are made against: each backend, two stores or two processes on one folder, any server, servers with a flaw.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::runtime::{Builder, Runtime};

use super::fault::Fault;
use super::flaw::{Flaw, world};
use super::remote::{Remote, Security};
use super::rule::{Broken, Checked, Rule};
use super::run::run;
use super::script::Script;
use super::site::Site;
use crate::imapd::{Data, Process};
use crate::world::{Folder, Kind, World};

/// Where the clients of a run connect to. Each run has a fresh place: a store of its own, or mailboxes of its own.
#[derive(Clone)]
pub struct Target {
    place: Place,
    repeat: String,
}

#[derive(Clone)]
enum Place {
    World(Kind),
    /// So many stores on one folder, which serves many runs, each with an account of its own.
    Stores(usize, Arc<Mutex<Option<Arc<Folder>>>>),
    TwoProcesses(Arc<Mutex<Option<Arc<Processes>>>>),
    Remote(Remote),
    Faulty(Fault),
    Flawed(Flaw),
}

/// Two processes on one folder, and a third that writes to it: this one. Accounts are as of a [`Folder`].
struct Processes {
    servers: [Process; 2],
    folder: Folder,
    _data: Data,
}

impl Processes {
    fn start() -> Self {
        let data = Data::new();
        Self {
            servers: [data.serve(), data.serve()],
            folder: Folder::beside(data.path(), 1),
            _data: data,
        }
    }
}

/// How a run ended.
pub(super) struct Outcome {
    /// The conversation.
    pub(super) log: Vec<String>,
    pub(super) result: Checked,
    /// The steps that were taken.
    pub(super) steps: usize,
}

impl Target {
    fn new(place: Place, test: &str) -> Self {
        let repeat = format!("MODEL_SEED={{seed}} cargo test -p imap-compliance --test model {test}");
        Self { place, repeat }
    }

    /// `backend-memory` under `Mapped`. The same seed is the same conversation.
    pub fn memory() -> Self {
        Self::new(Place::World(Kind::Memory), "over_memory")
    }

    /// `backend-sqlite` under `Mapped`, in a folder of its own. The store's threads decide in which order it answers several
    /// clients: a seed is the same commands, and nearly always the same conversation where each waits for its answer.
    pub fn sqlite() -> Self {
        Self::new(Place::Stores(1, Arc::default()), "over_sqlite")
    }

    /// The four required methods of a `MailStore` alone: what it cannot do must be refused.
    pub fn four_methods() -> Self {
        Self::new(Place::World(Kind::FourMethods), "over_four_methods")
    }

    /// Two servers of this process, each with a store of its own on one SQLite folder.
    pub fn two_stores() -> Self {
        Self::new(Place::Stores(2, Arc::default()), "over_two_stores_on_one_folder")
    }

    /// Two processes `imapd` on one SQLite folder, to which this process delivers, too. They live for many runs.
    pub fn two_processes() -> Self {
        let place = Place::TwoProcesses(Arc::default());
        Self::new(place, "over_two_processes_on_one_folder")
    }

    /// Any server. What is made there bears a name of its own and is removed when a run ends. The order in which it answers
    /// several clients is its own.
    pub fn remote(remote: Remote) -> Self {
        let test = format!("over_the_wire # with MODEL_REMOTE={}", remote.address);
        Self::new(Place::Remote(remote), &test)
    }

    /// The memory store's server, with something in between that falsifies what is told.
    pub fn with_fault(fault: Fault) -> Self {
        Self::new(Place::Faulty(fault), "found_on_the_wire")
    }

    /// A server whose backend is wrong, or merely slow.
    pub fn with_flaw(flaw: Flaw) -> Self {
        let test = match flaw {
            Flaw::Slow => "over_a_slow_store",
            _ => "found_in_a_backend",
        };
        Self::new(Place::Flawed(flaw), test)
    }

    /// The command by which a failure can be repeated; `{seed}` stands for the seed.
    #[must_use]
    pub fn with_repeat(mut self, command: &str) -> Self {
        command.clone_into(&mut self.repeat);
        self
    }

    pub(super) fn repeat(&self, seed: u64) -> String {
        self.repeat.replace("{seed}", &seed.to_string())
    }

    /// Whether the same script is always the same conversation.
    pub(super) fn is_exact(&self) -> bool {
        match self.place {
            Place::World(_) | Place::Faulty(_) | Place::Flawed(_) => true,
            Place::Stores(..) | Place::TwoProcesses(_) | Place::Remote(_) => false,
        }
    }

    /// A fresh place.
    async fn open(&self, seed: u64) -> Checked<Site> {
        Ok(match &self.place {
            Place::World(kind) => Site::world(World::new(*kind).await, None),
            Place::Stores(stores, folder) => {
                let folder = serving(folder, |folder| folder.accounts(), || Folder::new(*stores));
                let (user, worlds) = folder.worlds().await;
                Site::worlds(user, worlds)
            }
            Place::TwoProcesses(processes) => {
                let processes = serving(processes, |all| all.folder.accounts(), Processes::start);
                let (user, mut outside) = processes.folder.worlds().await;
                let remote = |process: &Process| Remote {
                    address: process.address().to_string(),
                    security: Security::Plain,
                    user: user.clone(),
                    password: "secret".into(),
                    without: Vec::new(),
                };
                let servers = processes.servers.iter().map(remote).collect();
                Site::processes(servers, outside.remove(0))
            }
            Place::Remote(remote) => Site::remote(vec![remote.clone()], &own_name()).await?,
            Place::Faulty(fault) => Site::world(World::new(Kind::Memory).await, Some(*fault)),
            Place::Flawed(flaw) => Site::world(world(*flaw, seed).await, None),
        })
    }

    /// Runs a script in a fresh place, to its end.
    pub(super) fn attempt(&self, script: &Script) -> Outcome {
        let not_begun = |wrong| Outcome {
            log: Vec::new(),
            result: Err(wrong),
            steps: 0,
        };
        let runtime = match self.runtime() {
            Ok(runtime) => runtime,
            Err(wrong) => return not_begun(wrong),
        };
        runtime.block_on(async {
            let site = match self.open(script.seed).await {
                Ok(site) => site,
                Err(wrong) => return not_begun(wrong),
            };
            let mut outcome = run(&site, script).await;
            let left = site.leaves().await;
            outcome.result = outcome.result.and(left);
            outcome
        })
    }

    /// Time is paused where nothing happens outside of the runtime.
    fn runtime(&self) -> Checked<Runtime> {
        Builder::new_current_thread()
            .enable_all()
            .start_paused(self.is_exact())
            .build()
            .map_err(|e| Broken {
                rule: Rule::Unreachable,
                why: format!("this machine has no room for a client: {e}"),
            })
    }
}

/// What serves now: another after so many accounts, so that its folder does not grow without end.
fn serving<T>(now: &Mutex<Option<Arc<T>>>, accounts: impl Fn(&T) -> u64, another: impl FnOnce() -> T) -> Arc<T> {
    let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
    let serves = now.take().filter(|serves| accounts(serves) < 200);
    now.insert(serves.unwrap_or_else(|| Arc::new(another()))).clone()
}

/// A name that no other run has.
fn own_name() -> String {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("m{:x}{:x}r{run}", std::process::id(), now.as_micros() & 0xff_ffff_ffff)
}
