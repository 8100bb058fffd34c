//! SEARCH over a [`MailStore`]: the listing and the store's index of texts first, indexes and octets only for what they
//! cannot decide.

use backend_api::{ErrorKind, Load, MailStore, NumSet, Result, SearchKey, SearchSink, Seq, SeqSet, Uid};

use super::mailbox::MappedMailbox;
use super::octets::Octets;
use super::sync::Source;
use crate::listing::Snapshot;
use crate::search::{Need, Program, Row, Verdict};
use crate::seq_mapper::SeqMapper;

/// Messages that are read together, if the columns and the index leave so many open.
const READ: usize = 256;
/// Messages looked at before what was found is put out.
const BATCH: usize = 4 * 1024;
/// Strings that the index is asked for at a time. Who searches for more is after something else.
const MOST_SOUGHT: usize = 64;

/// One of so many messages is read sooner than the index is asked, which looks at them all.
const FEW: u64 = 1_000;

/// A message of a batch that is not known not to match.
struct Candidate {
    seq: Seq,
    uid: Uid,
    unknown: bool,
}

pub(super) async fn search<S: MailStore>(
    mailbox: &mut MappedMailbox<S>,
    key: &SearchKey,
    out: &mut dyn SearchSink,
) -> Result<()> {
    let mut program = Program::compile(key);
    let now = mailbox.source.now().await?;
    let view = mailbox.view.clone();
    let mut candidates = narrowed(&program, &view, &now);
    if !program.sought().is_empty() && candidates.len() > u64::from(now.len()) / FEW {
        // Behind `now`: every message of it was there when the index was asked.
        let sought = program.sought().get(..MOST_SOUGHT).unwrap_or(program.sought());
        let Source {
            store, account, open, ..
        } = &mailbox.source;
        let may_hold = store.may_hold(account, open.id(), sought).await;
        program.narrow(may_hold);
        candidates = narrowed(&program, &view, &now);
    }
    let mut live = view.live(&candidates);
    let mut fresh = now.seek();
    loop {
        let (mut batch, mut looked_at, mut unknown) = (Vec::new(), 0, 0);
        while looked_at < BATCH && unknown < READ {
            let Some((seq, uid)) = live.next() else { break };
            looked_at += 1;
            let Some(row) = fresh.seek(uid) else { continue };
            match program.cheap(&columns(mailbox, seq, row)) {
                Verdict::No => {}
                verdict => {
                    let candidate = Candidate {
                        seq,
                        uid,
                        unknown: verdict != Verdict::Yes,
                    };
                    unknown += usize::from(candidate.unknown);
                    batch.push(candidate);
                }
            }
        }
        if looked_at == 0 {
            return Ok(());
        }
        if unknown > 0 {
            decide(mailbox, &program, &now, &mut batch).await?;
        }
        batch.iter().for_each(|c| out.put(c.seq, c.uid));
        if out.is_full() {
            out.ready().await?;
        }
    }
}

/// The numbers of the messages to look at: no other can match.
fn narrowed(program: &Program, view: &SeqMapper, now: &Snapshot) -> SeqSet {
    let all = || Seq::new(view.exists()).map_or_else(SeqSet::new, |last| SeqSet::run(Seq::MIN, last));
    let named = program.named(|set| view.resolve(set)).unwrap_or_else(all);
    // To look at a few messages costs less than to find out what flags there are.
    if named.len() <= now.parts() as u64 {
        return named;
    }
    let flagged = now.uids_where(|flags| program.may_match(flags));
    named.intersection(&view.resolve(&NumSet::Uid(flagged)))
}

fn columns<'a, S: MailStore>(mailbox: &MappedMailbox<S>, seq: Seq, row: crate::listing::Row<'a>) -> Row<'a> {
    Row {
        seq,
        uid: row.uid,
        flags: row.flags,
        recent: mailbox.is_recent(row.uid),
        date: row.date,
        size: row.size,
        mod_seq: row.mod_seq,
    }
}

/// Loads what the columns could not decide, and leaves those that match.
async fn decide<S: MailStore>(
    mailbox: &MappedMailbox<S>,
    program: &Program,
    now: &Snapshot,
    batch: &mut Vec<Candidate>,
) -> Result<()> {
    let uids: Vec<Uid> = batch.iter().filter(|c| c.unknown).map(|c| c.uid).collect();
    let mut matching = Vec::new();
    let mut rest = uids.as_slice();
    let what = match program.needs() {
        Some(Need::Header) => Load::header(),
        needs => Load::new(true, needs == Some(Need::Body)),
    };
    while !rest.is_empty() {
        let (loaded, covered) = mailbox.octets(rest, what).await?;
        rest = rest.get(covered..).unwrap_or_default();
        for message in loaded {
            let uid = message.uid;
            let Some(at) = batch.binary_search_by_key(&uid, |c| c.uid).ok() else {
                continue;
            };
            let (Some(candidate), Some(row)) = (batch.get(at), now.get(uid)) else {
                continue;
            };
            if matches(mailbox, program, columns(mailbox, candidate.seq, row), message).await? {
                matching.push(uid);
            }
        }
    }
    batch.retain(|c| !c.unknown || matching.binary_search(&c.uid).is_ok());
    Ok(())
}

async fn matches<S: MailStore>(
    mailbox: &MappedMailbox<S>,
    program: &Program,
    row: Row<'_>,
    mut octets: Octets,
) -> Result<bool> {
    if !octets.need_index(mailbox).await? {
        return Ok(false);
    }
    match program.with_index(&row, octets.index()?) {
        Verdict::Yes => return Ok(true),
        Verdict::No => return Ok(false),
        Verdict::Unknown(_) => {}
    }
    let end = match program.needs() {
        Some(Need::Body) => u64::MAX,
        _ => octets.header_end()?,
    };
    let Some(body) = octets.up_to(mailbox, end).await? else {
        return Ok(false);
    };
    match program.with_body(&row, octets.index()?, &body).await {
        // Removed while it was read: it matches no more.
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        other => other,
    }
}
