//! What backends put their answers into: the core's writer, drained to the socket when it is full.

use backend_api::{
    BodySection, DateTime, Error, FetchSink, Flags, Keyword, ListEntry, ListSink, ModSeq, Result, SearchSink, Seq, Uid,
    UpdateSink, async_trait,
};
use imap_core::{Connection, Writer};

use crate::io::Tx;
use crate::wire::FULL;

/// The way out of a connection, lent to a backend for one call.
pub(crate) struct Out<'a> {
    core: &'a mut Connection,
    tx: &'a mut Tx,
    /// It wants to be drained, or is of no use any more.
    full: bool,
    /// Updates name the UID as well: they answer a UID command (RFC 3501 6.4.8).
    with_uid: bool,
}

impl<'a> Out<'a> {
    pub(crate) fn new(core: &'a mut Connection, tx: &'a mut Tx) -> Self {
        Self {
            core,
            tx,
            full: false,
            with_uid: false,
        }
    }

    /// The same for the outcome of a UID command.
    pub(crate) fn with_uid(self, with_uid: bool) -> Self {
        Self { with_uid, ..self }
    }

    fn put(&mut self, write: impl FnOnce(&mut Writer)) {
        let writer = self.core.writer();
        write(writer);
        self.full = writer.pending() >= FULL || writer.misuse().is_some();
    }

    /// Sends everything. What went wrong stays behind for [`Wire::check`](crate::wire::Wire::check): backends only see
    /// that it is over.
    async fn drain(&mut self) -> Result<()> {
        if let Some(what) = self.core.writer().misuse() {
            return Err(Error::internal(what));
        }
        if self.tx.broken.is_some() {
            return Err(Error::disconnected());
        }
        self.full = false;
        self.tx.drain(self.core.output()).await.map_err(|error| {
            self.tx.broken = Some(error);
            Error::disconnected()
        })
    }
}

#[async_trait]
impl UpdateSink for Out<'_> {
    fn flags(&mut self, seq: Seq, uid: Uid, flags: &Flags, recent: bool, _mod_seq: Option<ModSeq>) {
        // RFC 7162 3.1: MODSEQ is for clients that have shown that they know CONDSTORE, and nobody can yet.
        let uid = self.with_uid.then_some(uid);
        self.put(|w| w.flags_update(seq, uid, flags, recent, None));
    }
    fn expunge(&mut self, seq: Seq, _uid: Uid) {
        self.put(|w| w.expunge(seq));
    }
    fn exists(&mut self, exists: u32, recent: u32) {
        self.put(|w| w.exists(exists));
        self.put(|w| w.recent(recent));
    }
    fn keywords(&mut self, keywords: &[Keyword]) {
        self.put(|w| w.new_keywords(keywords));
    }
    fn is_full(&self) -> bool {
        self.full
    }
    async fn ready(&mut self) -> Result<()> {
        self.drain().await
    }
}

/// The way out for SEARCH: by number or by UID.
pub(crate) struct Found<'a> {
    out: Out<'a>,
    uid: bool,
}

impl<'a> Found<'a> {
    pub(crate) fn new(mut out: Out<'a>, uid: bool) -> Self {
        out.put(|w| w.search_begin());
        Self { out, uid }
    }

    pub(crate) fn end(mut self) {
        self.out.put(|w| w.search_end());
    }
}

#[async_trait]
impl SearchSink for Found<'_> {
    fn put(&mut self, seq: Seq, uid: Uid) {
        match self.uid {
            true => self.out.put(|w| w.search_uid(uid)),
            false => self.out.put(|w| w.search_seq(seq)),
        }
    }
    fn is_full(&self) -> bool {
        self.out.full
    }
    async fn ready(&mut self) -> Result<()> {
        self.out.drain().await
    }
}

/// The way out for LIST and LSUB.
pub(crate) struct Lines<'a> {
    pub(crate) out: Out<'a>,
    pub(crate) lsub: bool,
    /// Those with a special use alone.
    pub(crate) special_use: bool,
}

#[async_trait]
impl ListSink for Lines<'_> {
    fn put(&mut self, entry: &ListEntry) {
        if !self.special_use || !entry.attributes.special_use.is_empty() {
            self.out.put(|w| w.list(entry, self.lsub));
        }
    }
    fn is_full(&self) -> bool {
        self.out.full
    }
    async fn ready(&mut self) -> Result<()> {
        self.out.drain().await
    }
}

/// The way out for FETCH.
pub(crate) struct Messages<'a> {
    pub(crate) out: Out<'a>,
    /// The client wants UIDs.
    pub(crate) with_uid: bool,
}

#[async_trait]
impl FetchSink for Messages<'_> {
    fn begin(&mut self, seq: Seq, uid: Uid) {
        self.out.put(|w| w.fetch_begin(seq, uid, self.with_uid));
    }
    fn flags(&mut self, flags: &Flags, recent: bool) {
        self.out.put(|w| w.fetch_flags(flags, recent));
    }
    fn internal_date(&mut self, date: DateTime) {
        self.out.put(|w| w.fetch_internal_date(date));
    }
    fn rfc822_size(&mut self, octets: u64) {
        self.out.put(|w| w.fetch_rfc822_size(octets));
    }
    fn mod_seq(&mut self, mod_seq: ModSeq) {
        self.out.put(|w| w.fetch_mod_seq(mod_seq));
    }
    fn envelope(&mut self, wire: &[u8]) {
        self.out.put(|w| w.fetch_envelope(wire));
    }
    fn body(&mut self, wire: &[u8]) {
        self.out.put(|w| w.fetch_body(wire));
    }
    fn body_structure(&mut self, wire: &[u8]) {
        self.out.put(|w| w.fetch_body_structure(wire));
    }
    fn section(&mut self, item: &BodySection, octets: Option<u64>) {
        self.out.put(|w| w.fetch_section(item, octets));
    }
    fn data(&mut self, octets: &[u8]) {
        self.out.put(|w| w.fetch_data(octets));
    }
    fn end(&mut self) {
        self.out.put(|w| w.fetch_end());
    }
    fn is_full(&self) -> bool {
        self.out.full
    }
    async fn ready(&mut self) -> Result<()> {
        self.out.drain().await?;
        // A connection that was asked to end does so between two messages.
        if self.out.tx.is_stopped() && !self.out.core.writer().in_response() {
            return Err(Error::disconnected());
        }
        Ok(())
    }
}
