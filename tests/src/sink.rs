//! A sink that takes everything and always wants to be drained first, so that whoever fills it can be dropped at every step.

use async_trait::async_trait;
use backend_api::{
    BodySection, DateTime, FetchSink, Flags, Keyword, ListEntry, ListSink, ModSeq, Result, SearchSink, Seq, Uid,
    UpdateSink,
};

/// Counts what it is given.
#[derive(Debug, Default)]
pub struct Sink {
    /// Responses so far.
    pub responses: usize,
}

#[async_trait]
impl FetchSink for Sink {
    fn begin(&mut self, _: Seq, _: Uid) {}
    fn flags(&mut self, _: &Flags, _: bool) {}
    fn internal_date(&mut self, _: DateTime) {}
    fn rfc822_size(&mut self, _: u64) {}
    fn mod_seq(&mut self, _: ModSeq) {}
    fn envelope(&mut self, _: &[u8]) {}
    fn body(&mut self, _: &[u8]) {}
    fn body_structure(&mut self, _: &[u8]) {}
    fn section(&mut self, _: &BodySection, _: Option<u64>) {}
    fn data(&mut self, _: &[u8]) {}
    fn end(&mut self) {
        self.responses += 1;
    }
    fn is_full(&self) -> bool {
        true
    }
    async fn ready(&mut self) -> Result<()> {
        drained().await
    }
}

#[async_trait]
impl UpdateSink for Sink {
    fn flags(&mut self, _: Seq, _: Uid, _: &Flags, _: bool, _: Option<ModSeq>) {
        self.responses += 1;
    }
    fn expunge(&mut self, _: Seq, _: Uid) {
        self.responses += 1;
    }
    fn exists(&mut self, _: u32, _: u32) {
        self.responses += 1;
    }
    fn keywords(&mut self, _: &[Keyword]) {}
    fn is_full(&self) -> bool {
        true
    }
    async fn ready(&mut self) -> Result<()> {
        drained().await
    }
}

#[async_trait]
impl ListSink for Sink {
    fn put(&mut self, _: &ListEntry) {
        self.responses += 1;
    }
    fn is_full(&self) -> bool {
        true
    }
    async fn ready(&mut self) -> Result<()> {
        drained().await
    }
}

#[async_trait]
impl SearchSink for Sink {
    fn put(&mut self, _: Seq, _: Uid) {
        self.responses += 1;
    }
    fn is_full(&self) -> bool {
        true
    }
    async fn ready(&mut self) -> Result<()> {
        drained().await
    }
}

/// As a slow client does, it makes whoever fills the sink wait.
async fn drained() -> Result<()> {
    tokio::task::yield_now().await;
    Ok(())
}
