//! Where one run takes place: its servers, its mailboxes, and what may be asked of them.

use super::fault::Fault;
use super::remote::{Remote, login};
use super::rule::{Checked, Rule, check};
use super::wire::Wire;
use crate::stream::BoxedStream;
use crate::world::{Kind, World, loopback};

/// What a server can do, and how much is expected of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Abilities {
    /// UIDPLUS (RFC 4315).
    pub(super) uid_plus: bool,
    /// MOVE (RFC 6851).
    pub(super) moves: bool,
    /// IDLE (RFC 2177).
    pub(super) idle: bool,
    /// UNSELECT (RFC 3691).
    pub(super) unselect: bool,
    /// Non-synchronizing literals (RFC 7888).
    pub(super) literal_plus: bool,
    /// Messages and mailboxes can be changed.
    pub(super) writable: bool,
    /// The run may do as it likes with INBOX.
    pub(super) inbox: bool,
    /// Messages can come and go outside of IMAP.
    pub(super) outside: bool,
    /// Beyond the RFCs what this project promises is expected: answers in order, no refusal without a known reason, nothing
    /// told that shifts the numbers of what is pipelined, views that survive a RENAME, IDLE that tells at once.
    pub(super) strict: bool,
}

impl Abilities {
    /// What this project's servers can do in a world of their own.
    const OURS: Self = Self {
        uid_plus: true,
        moves: true,
        idle: true,
        unselect: true,
        literal_plus: true,
        writable: true,
        inbox: true,
        outside: true,
        strict: true,
    };

    /// What a server says it can do, but for these.
    fn advertised(capabilities: &str, without: &[String]) -> Self {
        let is = |name: &str, word: &str| word.eq_ignore_ascii_case(name);
        let has = |name: &str| {
            capabilities.split(' ').any(|word| is(name, word)) && !without.iter().any(|word| is(name, word))
        };
        Self {
            uid_plus: has("UIDPLUS"),
            moves: has("MOVE"),
            idle: has("IDLE"),
            unselect: has("UNSELECT"),
            literal_plus: has("LITERAL+") || has("LITERAL-"),
            writable: true,
            inbox: false,
            outside: false,
            strict: false,
        }
    }
}

/// One server.
enum End {
    World(World),
    Remote(Remote),
}

/// Where a run takes place.
pub(super) struct Site {
    pub(super) abilities: Abilities,
    /// The mailboxes that are there at the start.
    pub(super) names: Vec<String>,
    /// What names of new mailboxes begin with.
    pub(super) prefix: String,
    ends: Vec<End>,
    /// Who logs in at a world.
    user: String,
    /// A world on the same folder that no client connects to: what happens outside of IMAP.
    outside: Option<World>,
    fault: Option<Fault>,
}

impl Site {
    /// A world of this process.
    pub(super) fn world(world: World, fault: Option<Fault>) -> Self {
        Self {
            fault,
            ..Self::worlds("demo".into(), vec![world])
        }
    }

    /// Worlds of this process that share a user's store.
    pub(super) fn worlds(user: String, worlds: Vec<World>) -> Self {
        let writable = worlds.iter().all(|world| world.kind() != Kind::FourMethods);
        Self {
            abilities: Abilities {
                writable,
                ..Abilities::OURS
            },
            names: ["INBOX", "Archive"].map(str::to_owned).into(),
            prefix: "Box".into(),
            ends: worlds.into_iter().map(End::World).collect(),
            user,
            outside: None,
            fault: None,
        }
    }

    /// Processes of this project that serve the folder of `outside`, and its account, which nobody else uses.
    pub(super) fn processes(remotes: Vec<Remote>, outside: World) -> Self {
        Self {
            ends: remotes.into_iter().map(End::Remote).collect(),
            outside: Some(outside),
            ..Self::worlds(String::new(), Vec::new())
        }
    }

    /// Servers elsewhere that share an account; `own` is a name that nothing else there has.
    pub(super) async fn remote(remotes: Vec<Remote>, own: &str) -> Checked<Self> {
        let mut wire = remotes[0].connect().await?;
        let (untagged, _) = wire.ask("cap", "CAPABILITY").await?;
        let told = untagged.iter().map(|line| String::from_utf8_lossy(line));
        let capabilities = told
            .filter_map(|line| line.strip_prefix("* CAPABILITY ").map(str::to_owned))
            .next_back()
            .unwrap_or_default();
        let namespace = match capabilities.contains("NAMESPACE") {
            true => wire.ask("ns", "NAMESPACE").await?.0,
            false => Vec::new(),
        };
        let personal = namespace
            .iter()
            .find_map(|line| personal(&String::from_utf8_lossy(line)));
        let prefix = format!("{}imap-compliance-{own}", personal.unwrap_or_default());
        let names = [format!("{prefix}a"), format!("{prefix}b")];
        for name in &names {
            let (_, answer) = wire.ask("make", &format!("CREATE {name}")).await?;
            check(Rule::Mailboxes, answer.starts_with("OK"), || {
                format!("CREATE {name} was answered {answer}")
            })?;
        }
        Ok(Self {
            abilities: Abilities::advertised(&capabilities, &remotes[0].without),
            names: names.into(),
            prefix,
            ends: remotes.into_iter().map(End::Remote).collect(),
            user: String::new(),
            outside: None,
            fault: None,
        })
    }

    /// Where it is not known when connections that were cut have ended.
    #[cfg(test)]
    pub(super) fn elsewhere() -> Self {
        let nowhere = Remote {
            address: String::new(),
            security: super::Security::Plain,
            user: String::new(),
            password: String::new(),
            without: Vec::new(),
        };
        Self {
            ends: vec![End::Remote(nowhere)],
            ..Self::worlds(String::new(), Vec::new())
        }
    }

    /// How many servers there are.
    pub(super) fn servers(&self) -> usize {
        self.ends.len()
    }

    /// A client's connection, logged in. Clients take turns with the servers.
    pub(super) async fn connect(&self, client: usize) -> Checked<Wire> {
        match &self.ends[client % self.ends.len()] {
            End::World(world) => {
                let stream = world.stream(loopback(), imap_server::Tls::None);
                self.greeted(match self.fault {
                    None => Box::new(stream),
                    Some(fault) => fault.between(stream),
                })
                .await
            }
            End::Remote(remote) => remote.connect().await,
        }
    }

    /// A connection that nothing falsifies, to see what is there.
    pub(super) async fn connect_to_truth(&self, server: usize) -> Checked<Wire> {
        match &self.ends[server] {
            End::World(world) => {
                let stream = world.stream(loopback(), imap_server::Tls::None);
                self.greeted(Box::new(stream)).await
            }
            End::Remote(remote) => remote.connect().await,
        }
    }

    /// Waits until connections that were cut have ended on the servers' side, too, if that can be known; whether it can.
    pub(super) async fn settles(&self, clients: usize) -> bool {
        for (at, end) in self.ends.iter().enumerate() {
            let End::World(world) = end else { return false };
            let of_clients = (0..clients).filter(|client| client % self.ends.len() == at).count();
            world.until_connections(of_clients + 1).await;
        }
        true
    }

    /// A message comes into INBOX outside of IMAP, if that can be done here: its UID.
    pub(super) async fn arrives(&self, message: &str) -> Option<u32> {
        Some(self.outside()?.arrives(message).await.get())
    }

    /// A message goes from INBOX outside of IMAP.
    pub(super) async fn vanishes(&self, uid: u32) {
        if let Some(world) = self.outside() {
            world.vanishes(uid).await;
        }
    }

    fn outside(&self) -> Option<&World> {
        self.outside.as_ref().or(match self.ends.last()? {
            End::World(world) => Some(world),
            End::Remote(_) => None,
        })
    }

    /// Removes what the run made.
    pub(super) async fn leaves(&self) -> Checked {
        let (Some(End::Remote(remote)), None) = (self.ends.first(), &self.outside) else {
            return Ok(());
        };
        let mut wire = remote.connect().await?;
        let (listed, _) = wire.ask("list", &format!("LIST \"\" {}*", self.prefix)).await?;
        for line in &listed {
            let line = String::from_utf8_lossy(line);
            if let Some(name) = line.rsplit(' ').next().filter(|name| name.contains(&self.prefix)) {
                wire.ask("remove", &format!("DELETE {name}")).await?;
            }
        }
        wire.ask("bye", "LOGOUT").await.map(drop)
    }

    async fn greeted(&self, stream: BoxedStream) -> Checked<Wire> {
        let mut wire = Wire::new(stream);
        wire.response().await?;
        login(&mut wire, &self.user, "secret").await?;
        Ok(wire)
    }
}

/// The prefix of the personal namespace (RFC 2342 5).
fn personal(line: &str) -> Option<String> {
    let rest = line.strip_prefix("* NAMESPACE ((\"")?;
    rest.split('"').next().map(str::to_owned)
}
