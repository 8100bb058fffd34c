//! What is logged of connections and commands: never a secret, never the text of a message.

use std::any::Any;

use backend_api::{ConnInfo, Error};
use imap_core::Verdict;
use tokio::time::Instant;
use tracing::Span;

use crate::registry::Place;
use crate::reply::Reply;
use crate::wire::{End, Wire};

/// The span of a connection.
pub(crate) fn connection(info: &ConnInfo) -> Span {
    let peer = info.peer.map(tracing::field::display);
    tracing::info_span!("connection", id = info.id, peer, tls = info.tls)
}

/// The end of a connection.
pub(crate) fn left(end: &End, start: Instant, wire: &Wire, user: Option<&str>) {
    let why = match end {
        End::Broken(error) => error.to_string(),
        End::Closed => "closed by the client".to_owned(),
        End::Bye(text) | End::Said(text) => text.clone(),
        End::Torn => "closed in the middle of a response".to_owned(),
        End::Misuse(what) => (*what).to_owned(),
    };
    tracing::info!(
        why,
        user,
        octets_in = wire.rx.octets,
        octets_out = wire.tx.octets,
        ms = start.elapsed().as_millis() as u64,
        "connection ended"
    );
}

/// A command under way.
pub(crate) struct Started {
    /// When it began.
    pub(crate) at: Instant,
    pub(crate) span: Span,
    octets_out: u64,
}

impl Started {
    pub(crate) fn new(name: &'static str, place: &Place, wire: &Wire) -> Self {
        Self {
            at: Instant::now(),
            span: tracing::debug_span!(
                "command",
                command = name,
                user = place.user().as_deref(),
                mailbox = place.mailbox().as_ref().map(|m| m.as_str())
            ),
            octets_out: wire.octets_out(),
        }
    }

    pub(crate) fn ended(&self, reply: &Reply, wire: &mut Wire) {
        let outcome = match reply {
            Reply::Answered => "answered",
            _ => match reply.verdict() {
                Verdict::Ok => "OK",
                Verdict::No => "NO",
                Verdict::Bad => "BAD",
            },
        };
        tracing::debug!(
            parent: &self.span,
            outcome,
            octets_in = wire.account_input(),
            octets_out = wire.octets_out() - self.octets_out,
            us = self.at.elapsed().as_micros() as u64,
            "done"
        );
    }
}

/// A fault of ours, under the number that the client was told.
pub(crate) fn internal(error: &Error, id: &str) {
    tracing::error!(id, error = text_with_causes(error), "internal error");
}

/// Any other error that a client was told of.
pub(crate) fn expected(error: &Error) {
    tracing::debug!(kind = ?error.kind(), error = text_with_causes(error), "refused");
}

/// What a client says it is (RFC 2971).
pub(crate) fn client_id(fields: &[(String, Option<String>)]) {
    tracing::info!(?fields, "client");
}

fn text_with_causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// The words of a panic.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without text".to_owned())
}
