//! FETCH over a [`MailStore`]: from the listing alone where that suffices, else from indexes and octets, in batches.

use backend_api::{
    BodySection, Error, ErrorKind, Fetch, FetchItem, FetchSink, Fetched, FlagChange, Flags, Load, MailStore,
    MessageEntry, NumSet, Result, Section, SectionText, SystemFlag, Uid, UidSet,
};
use imap_message::{Resolved, is_stored};

use super::mailbox::MappedMailbox;
use super::octets::{Octets, piece_len, stream};
use crate::seq_mapper::Numbered;

/// Messages looked at together when more than the listing is needed.
const BATCH: usize = 128;
/// A filtered header larger than this is refused; the index bounds what ordinary ones are answered from.
const MAX_HEADER: u64 = 16 * 1024 * 1024;

/// What is asked for, and what that takes: found out once, whatever the number of messages.
#[derive(Clone, Copy)]
struct Asked<'a> {
    want: &'a Fetch,
    needs: Needs,
}

/// What must be loaded of each message to answer these items.
#[derive(Clone, Copy)]
struct Needs {
    size: bool,
    index: bool,
    header: bool,
    body: bool,
}

impl Needs {
    fn of(want: &Fetch) -> Self {
        let mut needs = Self {
            size: false,
            index: false,
            header: false,
            body: false,
        };
        for item in &want.items {
            match item {
                FetchItem::Rfc822Size => needs.size = true,
                FetchItem::Envelope | FetchItem::Body | FetchItem::BodyStructure => needs.index = true,
                FetchItem::Section(s) => {
                    needs.index |= s.section != Section::default();
                    let stored = match &s.section.text {
                        SectionText::HeaderFields(names) => names.iter().all(|name| is_stored(name)),
                        _ => false,
                    };
                    match is_of_header(&s.section) {
                        true => needs.header |= !stored,
                        false => needs.body = true,
                    }
                }
                _ => {}
            }
        }
        needs
    }

    fn load(self) -> Option<Load> {
        match self {
            Self {
                header: true,
                body: false,
                ..
            } => Some(Load::header()),
            _ => (self.index || self.body).then(|| Load::new(self.index, self.body)),
        }
    }
}

/// Whether the octets of the message's own header are enough to answer it.
fn is_of_header(section: &Section) -> bool {
    use SectionText::{Header, HeaderFields, HeaderFieldsNot};
    section.path.is_empty() && matches!(section.text, Header | HeaderFields(_) | HeaderFieldsNot(_))
}

pub(super) async fn fetch<S: MailStore>(
    mailbox: &mut MappedMailbox<S>,
    set: &NumSet,
    want: &Fetch,
    out: &mut dyn FetchSink,
) -> Result<Fetched> {
    let (seqs, _) = mailbox.resolve(set);
    let needs = Needs::of(want);
    let mut missing = false;
    let view = mailbox.view.clone();
    match needs.load() {
        None => {
            let now = mailbox.source.now().await?;
            let mut cursor = now.seek();
            for numbered in view.numbered(&seqs) {
                let row = cursor.seek(numbered.uid);
                let Some(row) = row else {
                    missing |= !ghost(mailbox, numbered, Asked { want, needs }, out).await?;
                    continue;
                };
                if want.changed_since.is_some_and(|since| row.mod_seq <= since) {
                    continue;
                }
                let size = match row.size {
                    None if needs.size => match size_of(mailbox, numbered.uid).await? {
                        Some(size) => size,
                        None => {
                            missing = true;
                            continue;
                        }
                    },
                    size => size.unwrap_or(0),
                };
                out.begin(numbered.seq, numbered.uid);
                let recent = mailbox.is_recent(row.uid);
                for item in &want.items {
                    match item {
                        FetchItem::Flags => out.flags(row.flags, recent),
                        FetchItem::InternalDate => out.internal_date(row.date),
                        FetchItem::Rfc822Size => out.rfc822_size(size),
                        FetchItem::ModSeq => out.mod_seq(row.mod_seq),
                        _ => {}
                    }
                }
                out.end();
                let known = numbered.index.and_then(|i| view.told().row(i));
                if known.is_some_and(|k| k.mod_seq != row.mod_seq) && want.wants(&FetchItem::Flags) {
                    mailbox.told.put(numbered.seq, row.uid, row.mod_seq);
                }
                if out.is_full() {
                    out.ready().await?;
                }
            }
        }
        Some(load) => {
            let mut numbered = view.numbered(&seqs);
            loop {
                let mut batch: Vec<Numbered> = numbered.by_ref().take(BATCH).collect();
                if batch.is_empty() {
                    break;
                }
                if let Some(since) = want.changed_since {
                    let now = mailbox.source.now().await?;
                    let ghost = |uid| mailbox.source.open.ghost(uid).map(|entry| entry.mod_seq);
                    let mod_seq = |uid| now.get(uid).map(|row| row.mod_seq).or_else(|| ghost(uid));
                    batch.retain(|n| mod_seq(n.uid).is_none_or(|m| m > since));
                }
                missing |= fetch_batch(mailbox, &batch, Asked { want, needs }, load, out).await?;
            }
        }
    }
    Ok(Fetched::with_missing(missing && !set.is_uid()))
}

/// Answers a batch and says whether a message was missing.
async fn fetch_batch<S: MailStore>(
    mailbox: &mut MappedMailbox<S>,
    batch: &[Numbered],
    asked: Asked<'_>,
    load: Load,
    out: &mut dyn FetchSink,
) -> Result<bool> {
    let mut missing = false;
    let uids: Vec<Uid> = batch.iter().map(|n| n.uid).collect();
    let mut rest = (batch, uids.as_slice());
    while !rest.0.is_empty() {
        let (loaded, covered) = mailbox.octets(rest.1, load).await?;
        let (here, _) = rest.0.split_at(covered);
        let flagged = set_seen(mailbox, here, asked.want).await?;
        let now = mailbox.source.now().await?;
        let mut cursor = now.seek();
        let mut loaded = loaded.into_iter().peekable();
        for numbered in here {
            let Some(octets) = loaded.next_if(|l| l.uid == numbered.uid) else {
                missing = true;
                continue;
            };
            let seen = flagged.contains(numbered.uid);
            let entry = cursor.seek(numbered.uid).map(|row| row.to_entry());
            missing |= !answer(mailbox, *numbered, entry, octets, asked, seen, out).await?;
        }
        rest = (
            rest.0.get(covered..).unwrap_or_default(),
            rest.1.get(covered..).unwrap_or_default(),
        );
    }
    Ok(missing)
}

/// Sets `\Seen` where an item without PEEK asks for it, and says on which messages it was not set before.
async fn set_seen<S: MailStore>(mailbox: &mut MappedMailbox<S>, here: &[Numbered], want: &Fetch) -> Result<UidSet> {
    if !want.set_seen || mailbox.read_only || !mailbox.source.abilities().flags {
        return Ok(UidSet::new());
    }
    let now = mailbox.source.now().await?;
    let unseen = |n: &&Numbered| now.get(n.uid).is_some_and(|row| !row.flags.has(SystemFlag::Seen));
    let uids: UidSet = here.iter().filter(unseen).map(|n| n.uid).collect();
    if uids.is_empty() {
        return Ok(uids);
    }
    // That the text was read is worth less than the text itself: it is answered all the same.
    if let Err(error) = mailbox.source.set_flags(&uids, &FlagChange::Add(Flags::SEEN)).await {
        tracing::warn!(%error, "\\Seen could not be set by a FETCH");
        return Ok(UidSet::new());
    }
    Ok(uids)
}

async fn size_of<S: MailStore>(mailbox: &MappedMailbox<S>, uid: Uid) -> Result<Option<u64>> {
    let (loaded, _) = mailbox.load(&[uid], Load::new(false, true)).await?;
    Ok(loaded.into_iter().next().and_then(|l| l.body).map(|b| b.size()))
}

/// Answers for a message that was expunged elsewhere, from the listing's memory; `false` if that is gone, too.
async fn ghost<S: MailStore>(
    mailbox: &MappedMailbox<S>,
    numbered: Numbered,
    asked: Asked<'_>,
    out: &mut dyn FetchSink,
) -> Result<bool> {
    let Asked { want, needs } = asked;
    let Some(entry) = mailbox.source.open.ghost(numbered.uid) else {
        return Ok(false);
    };
    if want.changed_since.is_some_and(|since| entry.mod_seq <= since) {
        return Ok(true);
    }
    let size = match entry.size {
        None if needs.size => match size_of(mailbox, numbered.uid).await? {
            Some(size) => size,
            None => return Ok(false),
        },
        size => size.unwrap_or(0),
    };
    out.begin(numbered.seq, numbered.uid);
    want.items
        .iter()
        .for_each(|item| plain(item, &entry, mailbox.is_recent(entry.uid), size, out));
    out.end();
    if out.is_full() {
        out.ready().await?;
    }
    Ok(true)
}

fn plain(item: &FetchItem, entry: &MessageEntry, recent: bool, size: u64, out: &mut dyn FetchSink) {
    match item {
        FetchItem::Flags => out.flags(&entry.flags, recent),
        FetchItem::InternalDate => out.internal_date(entry.date),
        FetchItem::Rfc822Size => out.rfc822_size(size),
        FetchItem::ModSeq => out.mod_seq(entry.mod_seq),
        _ => {}
    }
}

/// Answers for one message with everything asked for; `false` if it went meanwhile.
async fn answer<S: MailStore>(
    mailbox: &mut MappedMailbox<S>,
    numbered: Numbered,
    entry: Option<MessageEntry>,
    mut octets: Octets,
    asked: Asked<'_>,
    flagged: bool,
    out: &mut dyn FetchSink,
) -> Result<bool> {
    let Asked { want, needs } = asked;
    let Some(mut entry) = entry.or_else(|| mailbox.source.open.ghost(numbered.uid)) else {
        return Ok(false);
    };
    // Everything that may fail for want of the message is done before its answer begins.
    if needs.index && !octets.need_index(mailbox).await? {
        return Ok(false);
    }
    let mut end = needs.body.then_some(u64::MAX);
    for item in &want.items {
        if let FetchItem::Section(item) = item
            && end != Some(u64::MAX)
            && !octets.index()?.answers(&item.section)
        {
            let of_header = is_of_header(&item.section);
            end = Some(if of_header { octets.header_end()? } else { u64::MAX });
        }
    }
    if let Some(end) = end
        && octets.up_to(mailbox, end).await?.is_none()
    {
        return Ok(false);
    }
    if needs.size && entry.size.is_none() {
        let Some(body) = octets.body(mailbox).await? else {
            return Ok(false);
        };
        entry.size = Some(body.size());
    }
    let recent = mailbox.is_recent(entry.uid);
    let size = entry.size.unwrap_or(0);
    out.begin(numbered.seq, numbered.uid);
    for item in &want.items {
        match item {
            FetchItem::Envelope => out.envelope(octets.index()?.envelope()),
            FetchItem::Body => out.body(octets.index()?.body()),
            FetchItem::BodyStructure => out.body_structure(octets.index()?.body_structure()),
            FetchItem::Section(section) => put_section(mailbox, &mut octets, section, out).await?,
            other => plain(other, &entry, recent, size, out),
        }
        if out.is_full() {
            out.ready().await?;
        }
    }
    let told_flags = want.wants(&FetchItem::Flags);
    if flagged && !told_flags {
        out.flags(&entry.flags, recent);
    }
    out.end();
    if flagged || told_flags {
        mailbox.told.put(numbered.seq, entry.uid, entry.mod_seq);
    }
    if out.is_full() {
        out.ready().await?;
    }
    Ok(true)
}

async fn put_section<S: MailStore>(
    mailbox: &MappedMailbox<S>,
    octets: &mut Octets,
    item: &BodySection,
    out: &mut dyn FetchSink,
) -> Result<()> {
    let gone = || Error::new(ErrorKind::NotFound, "the message went while it was read");
    let (start, len) = if item.section == Section::default() {
        let body = octets.body(mailbox).await?.ok_or_else(gone)?;
        (0, body.size())
    } else {
        match octets.index()?.resolve(&item.section) {
            Resolved::Range { start, len } => (start, len),
            Resolved::Ready(text) => return put_text(&text, item, out).await,
            Resolved::HeaderFilter { start, len, filter } => {
                if len > MAX_HEADER {
                    return Err(Error::new(ErrorKind::Limit, "the header is too large to be filtered"));
                }
                let body = octets.up_to(mailbox, start + len).await?.ok_or_else(gone)?;
                let (mut filtering, mut text, mut at) = (filter.into_filtering(), Vec::new(), 0);
                while at < len {
                    let piece = body.read_at(start + at, piece_len(len - at)).await?;
                    at += piece.len() as u64;
                    filtering.push(&piece, &mut text);
                }
                filtering.finish(&mut text);
                return put_text(&text, item, out).await;
            }
            _ => {
                out.section(item, None);
                return Ok(());
            }
        }
    };
    let (from, count) = item.range(len);
    out.section(item, Some(count));
    if count == 0 {
        return Ok(());
    }
    let body = octets.up_to(mailbox, start + from + count).await?.ok_or_else(gone)?;
    stream(&body, start + from, count, out).await
}

async fn put_text(text: &[u8], item: &BodySection, out: &mut dyn FetchSink) -> Result<()> {
    let (from, count) = item.range(text.len() as u64);
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    let end = from.saturating_add(usize::try_from(count).unwrap_or(0));
    let text = text.get(from..end).unwrap_or_default();
    out.section(item, Some(text.len() as u64));
    out.data(text);
    if out.is_full() {
        out.ready().await?;
    }
    Ok(())
}
