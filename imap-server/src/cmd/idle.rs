//! IDLE (RFC 2177): changes are told as they happen, until the client says DONE.

use std::time::Duration;

use backend_api::{Backend, Mailbox, Rights};
use imap_core::Event;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use crate::connection::{Conn, MailboxOf};
use crate::reply::{Fail, Reply};
use crate::wire::End;

pub(super) async fn run<B: Backend>(conn: &mut Conn<B>) -> Result<Reply, Fail> {
    conn.wire.core.begin_idle();
    let mut quiet_since = Instant::now();
    let mut watch = true;
    let mut fruitless = 0;
    loop {
        if let Some(reply) = input(conn).await? {
            return Ok(reply);
        }
        let rights = conn.wire.core.rights_in_idle();
        let before = conn.wire.octets_out();
        watch &= conn.poll(rights).await? || conn.bye.is_some();
        if conn.bye.is_some() {
            // The mailbox is gone, and IDLE would tell nothing more.
            return Err(End::Bye(conn.bye.take().unwrap_or_default()).into());
        }
        if conn.wire.octets_out() != before {
            quiet_since = Instant::now();
            fruitless = 0;
        }
        if fruitless > FRUITLESS {
            tracing::error!(
                backend = std::any::type_name::<B>(),
                "`changed` is ready, but `poll` tells nothing"
            );
            (watch, fruitless) = (false, 0);
        }
        conn.wire.flush().await?;
        let alive_at = quiet_since + conn.server.config.times.keep_alive;
        match wait(conn, rights, watch, alive_at).await? {
            Woken::Input => {}
            Woken::Changed => {
                fruitless += 1;
                yield_now().await;
            }
            Woken::Retry => watch = true,
            Woken::Quiet => {
                conn.wire.core.writer().ok("Still here");
                quiet_since = Instant::now();
            }
        }
    }
}

/// Looks at what the client has sent; the reply, once it said DONE.
async fn input<B: Backend>(conn: &mut Conn<B>) -> Result<Option<Reply>, Fail> {
    let wire = &mut conn.wire;
    if wire.rx.read_what_is_there(&mut wire.core).await {
        wire.note_input();
    }
    match wire.core.next_event() {
        Event::IdleDone { .. } => Reply::ok("IDLE completed").map(Some),
        Event::NeedInput => Ok(None),
        Event::Close(why) => Err(End::Said(why).into()),
        // Something else than DONE: the core has answered.
        _ => Ok(Some(Reply::Answered)),
    }
}

enum Woken {
    Changed,
    Input,
    /// After a failed poll, another try.
    Retry,
    Quiet,
}

async fn wait<B: Backend>(conn: &mut Conn<B>, rights: Rights, watch: bool, alive_at: Instant) -> Result<Woken, End> {
    conn.wire.shrink();
    loop {
        let Conn { wire, mailbox, .. } = conn;
        let (core, rx, timer, entry) = wire.waiting();
        tokio::select! {
            biased;
            read = rx.read(core) => {
                wire.received(read)?;
                return Ok(Woken::Input);
            }
            () = entry.stop.stopped() => return Err(wire.stopped()),
            () = changed::<B>(mailbox, rights), if watch => return Ok(Woken::Changed),
            () = sleep_until(Instant::now() + RETRY), if !watch => return Ok(Woken::Retry),
            () = sleep_until(alive_at) => return Ok(Woken::Quiet),
            () = timer => wire.check_time()?,
        }
    }
}

async fn changed<B: Backend>(mailbox: &mut Option<MailboxOf<B>>, rights: Rights) {
    match mailbox {
        Some(mailbox) => mailbox.changed(rights).await,
        None => std::future::pending().await,
    }
}

/// So many polls in a row may tell nothing: changes can cancel each other out. More are a fault, which is not to keep a
/// processor busy.
const FRUITLESS: u32 = 100;
/// A poll that failed is not tried again at once: what woke us is still there.
const RETRY: Duration = Duration::from_secs(1);
