//! STORE and UID STORE (RFC 3501 6.4.6).

use backend_api::{Backend, Ctx, FlagChange, Mailbox, NumSet, Rights, Updates, WaitingStore};
use imap_core::{Code, Command, RawSet};

use super::{need, resolve, writable};
use crate::connection::Conn;
use crate::reply::{Fail, Reply};
use crate::sink::Out;

pub(super) async fn run<B: Backend>(
    conn: &mut Conn<B>,
    uid: bool,
    set: &RawSet,
    change: &FlagChange,
    silent: bool,
) -> Result<Reply, Fail> {
    let named_before = conn.stores_ahead > 0;
    conn.stores_ahead = conn.stores_ahead.saturating_sub(1);
    let set = match resolve(conn, uid, set) {
        Ok(set) => set,
        Err(why) => return Reply::bad(why),
    };
    writable(conn)?;
    if !named_before {
        look_ahead(conn, &set, change).await?;
    }
    let mailbox = need(&mut conn.mailbox)?;
    let ctx = Ctx::new(&conn.info);
    let wire = &mut conn.wire;
    let mut out = Out::new(&mut wire.core, &mut wire.tx).with_uid(uid);
    let mut updates = Updates::new(&mut out, Rights::FLAGS);
    let stored = mailbox.store(&ctx, &set, change, silent, &mut updates).await;
    wire.check()?;
    // RFC 2180 4.2.1: .SILENT asked for no answer about single messages, so there is nothing that is missing.
    if stored?.missing && !silent {
        return Reply::no(Code::ExpungeIssued, "Some messages were expunged by another session");
    }
    Reply::ok("STORE completed")
}

/// Names the STORE commands that wait behind this one to the mailbox, together with this one, up to the first that is none,
/// that cannot be run, or that changes a message which one before it changes: their answers could not be told apart then
/// (RFC 3501 5.5).
async fn look_ahead<B: Backend>(conn: &mut Conn<B>, set: &NumSet, change: &FlagChange) -> Result<(), Fail> {
    let mut waiting = Vec::new();
    let mut named = set.clone();
    let mut at = 0;
    while waiting.len() < MOST {
        let Some((Command::Store { uid, set, change, .. }, next)) = conn.wire.core.peek_command(at) else {
            break;
        };
        let Ok(set) = resolve(conn, uid, &set) else { break };
        if !join(&mut named, &set) {
            break;
        }
        waiting.push(WaitingStore::new(set, change));
        at = next;
    }
    if waiting.is_empty() {
        return Ok(());
    }
    conn.stores_ahead = waiting.len();
    waiting.insert(0, WaitingStore::new(set.clone(), change.clone()));
    let mailbox = need(&mut conn.mailbox)?;
    mailbox.store_ahead(&Ctx::new(&conn.info), &waiting).await;
    Ok(())
}

/// Adds `more`, unless something of it is in `set` already or it is of the other kind of numbers.
fn join(set: &mut NumSet, more: &NumSet) -> bool {
    match (set, more) {
        (NumSet::Seq(set), NumSet::Seq(more)) if set.is_disjoint(more) => {
            more.runs().iter().for_each(|(first, last)| set.push_run(*first, *last));
            true
        }
        (NumSet::Uid(set), NumSet::Uid(more)) if set.is_disjoint(more) => {
            more.runs().iter().for_each(|(first, last)| set.push_run(*first, *last));
            true
        }
        _ => false,
    }
}

/// Commands named at a time. The first of them is answered when all are made.
const MOST: usize = 255;
