//! A run before it is run: which client does what kind of thing, step by step, with dice of its own for each step.
//!
//! What a step means in full is decided when it is its turn, from its dice and the client's picture. So steps can be left
//! out, and what is left is still a run: that is how a failure is made short.

use crate::message::Random;

/// What a step is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Verb {
    Append,
    Store,
    Fetch,
    Search,
    Copy,
    Move,
    Expunge,
    UidExpunge,
    Noop,
    Check,
    Idle,
    Status,
    Select,
    Examine,
    Close,
    Unselect,
    Create,
    Delete,
    Rename,
    /// RENAME of INBOX.
    Empty,
    /// A message comes from outside of IMAP.
    Arrives,
    /// One goes outside of IMAP.
    Vanishes,
    /// The connection is cut.
    Cut,
    /// The client hears what is there, or all.
    Listen,
    /// Everybody becomes quiet, and everything is compared.
    Quiet,
}

/// One step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) client: usize,
    pub(super) verb: Verb,
    /// How many commands go out in one write.
    pub(super) pipelined: u8,
    pub(super) dice: u64,
}

/// A run.
#[derive(Debug, Clone)]
pub(super) struct Script {
    pub(super) seed: u64,
    pub(super) clients: usize,
    /// Each answer is heard before the next step.
    pub(super) lock_step: bool,
    pub(super) steps: Vec<Step>,
}

/// How large runs are; what is not said is drawn from the seed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Size {
    /// Simulated clients.
    pub clients: Option<usize>,
    /// Steps.
    pub steps: Option<usize>,
}

const WEIGHTS: [(Verb, u64); 25] = [
    (Verb::Append, 12),
    (Verb::Store, 24),
    (Verb::Fetch, 14),
    (Verb::Search, 5),
    (Verb::Copy, 7),
    (Verb::Move, 7),
    (Verb::Expunge, 6),
    (Verb::UidExpunge, 4),
    (Verb::Noop, 5),
    (Verb::Check, 2),
    (Verb::Idle, 9),
    (Verb::Status, 3),
    (Verb::Select, 5),
    (Verb::Examine, 4),
    (Verb::Close, 3),
    (Verb::Unselect, 2),
    (Verb::Create, 1),
    (Verb::Delete, 1),
    (Verb::Rename, 1),
    (Verb::Empty, 1),
    (Verb::Arrives, 3),
    (Verb::Vanishes, 2),
    (Verb::Cut, 2),
    (Verb::Listen, 12),
    (Verb::Quiet, 3),
];

impl Script {
    /// The run of a seed.
    pub(super) fn new(seed: u64, size: Size) -> Self {
        // Twice: the numbers of neighbouring seeds are not to resemble each other.
        let mut random = Random::new(Random::new(seed).next_u64());
        let clients = size.clients.unwrap_or(2 + random.below(7) as usize);
        // Many short runs, some long ones.
        let steps = match random.below(10) {
            0 => 240,
            1..=3 => 120,
            _ => 50,
        };
        // Each run lacks some kinds of steps: what two of them do together shows best where others do not undo it.
        let weights = WEIGHTS.map(|(verb, weight)| {
            let needed = matches!(verb, Verb::Append | Verb::Store | Verb::Listen | Verb::Quiet);
            let lacks = !needed && random.one_in(5);
            (verb, if lacks { 0 } else { weight })
        });
        let most = if random.one_in(4) { 1 } else { 4 };
        let lock_step = random.one_in(8);
        let steps = size.steps.unwrap_or(steps);
        let steps = (0..steps).map(|_| Step::draw(&mut random, clients, &weights, most));
        let mut steps: Vec<Step> = steps.collect();
        steps.push(Step {
            client: 0,
            verb: Verb::Quiet,
            pipelined: 1,
            dice: random.below(u64::MAX),
        });
        Self {
            seed,
            clients,
            lock_step,
            steps,
        }
    }
}

impl Step {
    fn draw(random: &mut Random, clients: usize, weights: &[(Verb, u64)], most: u64) -> Self {
        let mut at = random.below(weights.iter().map(|(_, weight)| weight).sum());
        let (verb, _) = weights
            .iter()
            .find(|(_, weight)| {
                let found = at < *weight;
                at = at.saturating_sub(*weight);
                found
            })
            .copied()
            .unwrap_or((Verb::Noop, 1));
        let pipelined = if random.one_in(3) { random.below(most) + 1 } else { 1 };
        Self {
            client: random.below(clients as u64) as usize,
            verb,
            pipelined: u8::try_from(pipelined).unwrap_or(1),
            dice: random.below(u64::MAX),
        }
    }
}
