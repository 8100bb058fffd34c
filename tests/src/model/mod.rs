//! The model checker: several clients do random things to the same mailboxes, each keeps its own picture from what it is
//! told alone, and at quiet points every picture must be what is there.
//!
//! A run is given by its seed. What breaks a rule is a [`Failure`], which shows the seed and the conversation so far.

mod act;
mod fault;
mod ledger;
mod picture;
mod player;

use std::fmt;
use std::fmt::Write as _;

use act::MAILBOXES;
pub use fault::Fault;
use ledger::Ledger;
use player::{Player, Witness};

use crate::message::Random;
use crate::world::{World, loopback};

/// How long a run is.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Simulated clients.
    pub clients: usize,
    /// Random steps: a client sends something, or hears what it is told.
    pub steps: u32,
    /// Steps between two quiet points.
    pub quiet_every: u32,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            clients: 4,
            steps: 160,
            quiet_every: 40,
        }
    }
}

/// A rule was broken.
#[derive(Debug)]
pub struct Failure {
    /// The seed that shows it.
    pub seed: u64,
    /// Which rule, and how.
    pub why: String,
    /// What was said and heard: the client's number, `>` or `<`, and the line.
    pub conversation: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {}", self.seed, self.why)?;
        let start = self.conversation.len().saturating_sub(SHOWN);
        self.conversation[start..]
            .iter()
            .try_for_each(|line| writeln!(f, "  {line}"))
    }
}

/// Where the clients connect to.
pub struct Target<'a> {
    world: &'a World,
    fault: Option<Fault>,
}

impl<'a> Target<'a> {
    /// The server of a world.
    pub fn new(world: &'a World) -> Self {
        Self { world, fault: None }
    }

    /// The same with something between server and clients that falsifies what is told.
    pub fn with_fault(world: &'a World, fault: Fault) -> Self {
        Self {
            world,
            fault: Some(fault),
        }
    }

    fn connect(&self) -> crate::stream::BoxedStream {
        let stream = self.world.stream(loopback(), imap_server::Tls::None);
        match self.fault {
            None => Box::new(stream),
            Some(fault) => fault.between(stream),
        }
    }

    /// A connection that nothing falsifies, to see what is there.
    fn connect_to_truth(&self) -> crate::stream::BoxedStream {
        Box::new(self.world.stream(loopback(), imap_server::Tls::None))
    }

    /// Waits until cut connections have ended on the server's side, too.
    async fn settles(&self, connections: usize) {
        while self.world.handle().sessions().len() > connections {
            tokio::task::yield_now().await;
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }
}

/// One run of this seed.
///
/// # Errors
/// A rule was broken.
pub async fn run(target: &Target<'_>, plan: Plan, seed: u64) -> Result<(), Failure> {
    let failure = |why, conversation| Failure {
        seed,
        why,
        conversation,
    };
    let witness = Witness::login(target.connect_to_truth()).await;
    let mut run = Run {
        target,
        witness: witness.map_err(|why| failure(why, Vec::new()))?,
        random: Random::new(seed),
        ledger: Ledger::new(),
        players: Vec::new(),
        log: Log::default(),
    };
    let result = run.steps(plan).await;
    result.map_err(|why| failure(why, run.log.0))
}

/// What was said and heard by all.
#[derive(Debug, Default)]
pub(crate) struct Log(Vec<String>);

impl Log {
    fn note(&mut self, player: usize, sign: char, octets: &[u8]) {
        let mut line = String::new();
        let _ = write!(line, "{player}{sign} {}", crate::frame::shown(octets));
        self.0.push(line);
    }
}

struct Run<'a> {
    target: &'a Target<'a>,
    witness: Witness,
    random: Random,
    ledger: Ledger,
    players: Vec<Player>,
    log: Log,
}

impl Run<'_> {
    async fn steps(&mut self, plan: Plan) -> Result<(), String> {
        for name in 0..plan.clients {
            let player = Player::login(name, self.target.connect(), &mut self.log).await?;
            self.players.push(player);
        }
        for step in 1..=plan.steps {
            let name = self.random.below(plan.clients as u64) as usize;
            self.step(name).await.map_err(|why| format!("client {name}: {why}"))?;
            if step % plan.quiet_every == 0 {
                self.quiet().await?;
            }
        }
        Ok(())
    }

    async fn step(&mut self, name: usize) -> Result<(), String> {
        if self.random.one_in(80) {
            return self.cut(name).await;
        }
        let Self {
            random,
            ledger,
            players,
            log,
            ..
        } = self;
        let player = &mut players[name];
        if player.is_idle() {
            player.hear_what_is_there(ledger, log).await?;
            if random.one_in(3) {
                player.done(log).await?;
                player.hear_all(ledger, log).await?;
            }
            return Ok(());
        }
        if player.waits() {
            return match random.one_in(3) {
                true => player.hear_what_is_there(ledger, log).await,
                false => player.hear_all(ledger, log).await,
            };
        }
        player.send(random, ledger, log).await
    }

    /// A client vanishes in the middle of whatever it does, and another takes its place.
    async fn cut(&mut self, name: usize) -> Result<(), String> {
        self.log.note(name, '!', b"the connection is cut");
        self.players[name].gives_up(&mut self.ledger);
        self.players[name] = Player::login(name, self.target.connect(), &mut self.log).await?;
        Ok(())
    }

    /// Nobody does anything any more: after a NOOP each, all know what is there.
    async fn quiet(&mut self) -> Result<(), String> {
        for name in 0..self.players.len() {
            let player = &mut self.players[name];
            while player.waits() {
                if player.is_idle() {
                    player.done(&mut self.log).await?;
                }
                let heard = player.hear_all(&mut self.ledger, &mut self.log).await;
                heard.map_err(|why| format!("client {name}: {why}"))?;
            }
        }
        self.target.settles(self.players.len() + 1).await;
        for name in 0..self.players.len() {
            let heard = self.players[name].noop(&mut self.ledger, &mut self.log).await;
            heard.map_err(|why| format!("client {name}: {why}"))?;
        }
        for mailbox in MAILBOXES {
            let truth = self.witness.truth(mailbox).await?;
            self.ledger.agrees_with(mailbox, &truth)?;
            let listed: Vec<_> = truth.into_iter().map(|m| (m.uid, m.flags)).collect();
            for (name, player) in self.players.iter_mut().enumerate() {
                let Some(picture) = player.picture.as_mut().filter(|p| p.mailbox == mailbox) else {
                    continue;
                };
                let agreed = picture.agrees_with(&listed);
                agreed.map_err(|why| format!("at a quiet point, client {name} in {mailbox}: {why}"))?;
            }
        }
        self.ledger.settled();
        Ok(())
    }
}

/// Lines of the conversation that a failure shows.
const SHOWN: usize = 120;
