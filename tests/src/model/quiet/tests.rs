//! Quiet points at a server that does late what a client had sent whose connection was cut.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, duplex, split};
use tokio::sync::watch;

use super::*;
use crate::model::command::message;
use crate::model::player::Player;
use crate::model::site::Site;
use crate::model::wire::Wire;
use crate::model::witness::Witness;

/// When the APPEND that was cut off is done.
#[derive(Clone, Copy, PartialEq)]
enum Lands {
    /// As soon as a client searches.
    BeforeSearch,
    /// As soon as the witness has seen all.
    AfterStatus,
    /// Never.
    Never,
}

/// The server's only mailbox is `box`, empty until message 1 lands there.
struct Server {
    lands: Lands,
    /// The first NOOP is told of an EXPUNGE where there is no message.
    raves: bool,
    landed: watch::Sender<bool>,
}

impl Server {
    fn new(lands: Lands, raves: bool) -> Arc<Self> {
        let landed = watch::Sender::new(false);
        Arc::new(Self { lands, raves, landed })
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
        let (mut told, mut idle, mut raved) = (0, None, !self.raves);
        loop {
            let line = tokio::select! {
                line = lines.next_line() => line.ok().flatten(),
                _ = landed.changed(), if idle.is_some() => Some("landed".to_owned()),
            };
            let Some(line) = line else { return };
            let (tag, words) = line.split_once(' ').unwrap_or(("", &line));
            if self.lands == Lands::BeforeSearch && words.starts_with("UID SEARCH") {
                self.landed.send_replace(true);
            }
            let there = u32::from(*self.landed.borrow());
            let mut says = String::new();
            if told < there && (["NOOP", "landed"].contains(&words) || words.starts_with("UID SEARCH")) {
                says = "* 1 EXISTS\r\n".to_owned();
                told = there;
            }
            says += &match words {
                "NOOP" if !std::mem::replace(&mut raved, true) => "* 1 EXPUNGE\r\n".to_owned(),
                "SELECT box" => format!("* {there} EXISTS\r\n"),
                "LIST \"\" \"*\"" => "* LIST () NIL box\r\n".to_owned(),
                "UID SEARCH ALL" | "UID SEARCH UNSEEN" if there == 1 => "* SEARCH 1\r\n".to_owned(),
                _ if words.starts_with("UID SEARCH") => "* SEARCH\r\n".to_owned(),
                _ if words.starts_with("UID FETCH") && there == 1 => {
                    let header = message(1).replace("body 1\r\n", "");
                    let len = header.len();
                    format!("* 1 FETCH (UID 1 FLAGS () BODY[HEADER.FIELDS (X-ID)] {{{len}}}\r\n{header})\r\n")
                }
                _ if words.starts_with("STATUS") => {
                    let next = there + 1;
                    format!("* STATUS box (MESSAGES {there} UNSEEN {there} UIDNEXT {next} UIDVALIDITY 1)\r\n")
                }
                _ => String::new(),
            };
            match words {
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
            if self.lands == Lands::AfterStatus && words.starts_with("STATUS") {
                self.landed.send_replace(true);
            }
        }
    }
}

/// A client that has `box` selected, and may be in IDLE; another whose connection was cut behind its APPEND; and a quiet point.
async fn quiet(server: Arc<Server>, idle: bool, dice: u64) -> Checked {
    let site = Site::elsewhere();
    let mut run = Run::new(&site, true);
    run.witnesses.push(Witness::new(server.connect(), true));
    let mailbox = run.scene.ledger.created("box");
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
    run.scene.ledger.may_be_made(mailbox, 1);
    run.was_cut = true;
    run.quiet(dice).await
}

/// By the dice of a quiet point a client searches, stays in IDLE, or does not.
const DICE: std::ops::Range<u64> = 0..40;

#[tokio::test(start_paused = true)]
async fn what_was_cut_off_may_be_done_between_noop_and_search() {
    let mut landed = 0;
    for dice in DICE {
        let server = Server::new(Lands::BeforeSearch, false);
        quiet(server.clone(), false, dice).await.unwrap();
        landed += u64::from(*server.landed.borrow());
    }
    assert_ne!(landed, 0, "it was searched");
}

#[tokio::test(start_paused = true)]
async fn what_was_cut_off_may_be_told_in_idle_after_it_was_looked() {
    for dice in DICE {
        quiet(Server::new(Lands::AfterStatus, false), true, dice).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_cut_connection_what_can_never_be_right_is_wrong_at_once() {
    let wrong = quiet(Server::new(Lands::Never, true), false, 0).await.unwrap_err();
    assert_eq!(
        wrong.why,
        "when all commands had been answered: client 0: sequence number 1 is told in a mailbox whose EXISTS is 0"
    );
}
