//! Quiet points at a server that does late what a client had sent whose connection was cut.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, duplex, split};
use tokio::sync::watch;

use super::*;
use crate::model::player::Player;
use crate::model::site::Site;
use crate::model::wire::Wire;
use crate::model::witness::Witness;

/// When that is done what was cut off.
#[derive(Clone, Copy, PartialEq)]
enum Lands {
    /// As soon as a client searches.
    BeforeSearch,
    /// As soon as the witness looks.
    BeforeList,
    /// As soon as the witness has seen all.
    AfterStatus,
    /// Never.
    Never,
}

/// The server's only mailbox is `box`, which holds one message or none: its UID, before and after.
struct Server {
    holds: [Option<u32>; 2],
    lands: Lands,
    /// The first NOOP is told of an EXPUNGE where there is no message.
    raves: bool,
    landed: watch::Sender<bool>,
}

impl Server {
    /// What was cut off is an APPEND into the empty mailbox.
    fn new(lands: Lands) -> Self {
        Self {
            holds: [None, Some(1)],
            lands,
            raves: false,
            landed: watch::Sender::new(false),
        }
    }

    fn connect(self: &Arc<Self>) -> Wire {
        let (ours, theirs) = duplex(1 << 16);
        tokio::spawn(self.clone().serves(theirs));
        Wire::new(Box::new(ours))
    }

    async fn serves(self: Arc<Self>, stream: DuplexStream) {
        let (read, mut write) = split(stream);
        let mut lines = BufReader::new(read).lines();
        let mut landed = self.landed.subscribe();
        // What this session has been told of.
        let mut told = None;
        let (mut idle, mut raves) = (None, self.raves);
        loop {
            let line = tokio::select! {
                line = lines.next_line() => line.ok().flatten(),
                _ = landed.changed(), if idle.is_some() => Some("- landed".to_owned()),
            };
            let Some(line) = line else { return };
            let (tag, words) = line.split_once(' ').unwrap_or(("", &line));
            let verb = words.split(" 1:*").next().unwrap_or_default();
            match self.lands {
                Lands::BeforeSearch if verb.starts_with("UID SEARCH") => drop(self.landed.send_replace(true)),
                Lands::BeforeList if verb.starts_with("LIST") => drop(self.landed.send_replace(true)),
                _ => {}
            }
            let holds = self.holds[usize::from(*self.landed.borrow())];
            let exists = u32::from(holds.is_some());
            let mut says = String::new();
            if told != holds && (["NOOP", "landed"].contains(&verb) || verb.starts_with("UID SEARCH")) {
                says += if told.is_some() { "* 1 EXPUNGE\r\n" } else { "" };
                says += &format!("* {exists} EXISTS\r\n");
                told = holds;
            }
            match (verb, holds) {
                ("NOOP", _) if std::mem::take(&mut raves) => says += "* 1 EXPUNGE\r\n",
                ("SELECT box", _) => {
                    says += &format!("* {exists} EXISTS\r\n");
                    told = holds;
                }
                ("LIST \"\" \"*\"", _) => says += "* LIST () NIL box\r\n",
                ("UID SEARCH ALL" | "UID SEARCH UNSEEN", Some(uid)) => says += &format!("* SEARCH {uid}\r\n"),
                ("UID SEARCH ALL" | "UID SEARCH UNSEEN" | "UID SEARCH DELETED", _) => says += "* SEARCH\r\n",
                ("FETCH", _) => says += &format!("* 1 FETCH (UID {})\r\n", told.unwrap_or_default()),
                ("UID FETCH", Some(uid)) => {
                    let field = "BODY[HEADER.FIELDS (X-ID)] {11}\r\nX-Id: 1\r\n\r\n";
                    says += &format!("* 1 FETCH (UID {uid} FLAGS () {field})\r\n");
                }
                _ if verb.starts_with("STATUS") => {
                    let next = holds.unwrap_or_default() + 1;
                    let counters = format!("MESSAGES {exists} UNSEEN {exists} UIDNEXT {next} UIDVALIDITY 1");
                    says += &format!("* STATUS box ({counters})\r\n");
                }
                _ => {}
            }
            match verb {
                "IDLE" => {
                    idle = Some(tag.to_owned());
                    says += "+ idling\r\n";
                }
                "DONE" => says += &format!("{} OK\r\n", idle.take().unwrap_or_default()),
                "landed" => {}
                "SELECT box" => says += &format!("{tag} OK [READ-WRITE]\r\n"),
                _ => says += &format!("{tag} OK\r\n"),
            }
            if write.write_all(says.as_bytes()).await.is_err() {
                return;
            }
            if self.lands == Lands::AfterStatus && verb.starts_with("STATUS") {
                self.landed.send_replace(true);
            }
        }
    }
}

/// A client that has `box` selected, and may be in IDLE; another whose connection was cut behind its APPEND or MOVE; and two
/// quiet points.
async fn quiet(server: Server, idle: bool, dice: u64) -> Checked<bool> {
    let server = Arc::new(server);
    let site = Site::elsewhere();
    let mut run = Run::new(&site, true);
    run.witnesses.push(Witness::new(server.connect(), true));
    let mailbox = run.scene.ledger.created("box");
    let truth = server.holds[0].map(|uid| Truth {
        uid,
        flags: BTreeSet::new(),
        id: 1,
    });
    run.scene.ledger.begins_with(mailbox, truth.as_slice())?;
    let mut player = Player::new(0, server.connect());
    let open = Act::Open {
        mailbox,
        read_only: false,
    };
    player.asks("SELECT box", open, &mut run.scene).await?;
    if idle {
        player.asks("IDLE", Act::Idle, &mut run.scene).await?;
    }
    run.players.push(player);
    match server.holds[0] {
        Some(uid) => run.scene.ledger.may_be_taken(mailbox, uid),
        None => run.scene.ledger.may_be_made(mailbox, 1),
    }
    run.scene.ledger.is_uncertain(mailbox);
    run.was_cut = true;
    run.quiet(dice).await?;
    run.quiet(dice).await?;
    Ok(*server.landed.borrow())
}

/// By the dice of a quiet point a client searches, stays in IDLE, or does not.
const DICE: std::ops::Range<u64> = 0..40;

#[tokio::test(start_paused = true)]
async fn what_was_cut_off_may_be_done_between_noop_and_search() {
    let mut landed = false;
    for dice in DICE {
        landed |= quiet(Server::new(Lands::BeforeSearch), false, dice).await.unwrap();
    }
    assert!(landed, "nobody searched");
}

#[tokio::test(start_paused = true)]
async fn what_was_cut_off_may_be_told_in_idle_after_it_was_looked() {
    for dice in DICE {
        quiet(Server::new(Lands::AfterStatus), true, dice).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_cut_off_may_put_another_message_in_the_place_of_one() {
    for dice in DICE {
        let moves = Server {
            holds: [Some(1), Some(2)],
            ..Server::new(Lands::BeforeList)
        };
        quiet(moves, false, dice).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_cut_connection_what_can_never_be_right_is_wrong_at_once() {
    let raves = Server {
        raves: true,
        ..Server::new(Lands::Never)
    };
    assert_eq!(
        quiet(raves, false, 0).await.unwrap_err().why,
        "when all commands had been answered: client 0: sequence number 1 is told in a mailbox whose EXISTS is 0"
    );
}
