//! The keywords of one mailbox: which id stands for which name.

use std::collections::{HashMap, HashSet};

use backend_api::{Error, ErrorKind, Flags, Keyword, Result};
use rusqlite::{Connection, params};

use crate::error::{damaged, sql};
use crate::page::Page;
use crate::tx::Place;

/// The most keywords in a mailbox. Above it a client would lose some without knowing, so it is told.
pub(crate) const MAX_KEYWORDS: usize = 4_096;

/// The most combinations of keywords whose [`Flags`] are shared between messages of one listing.
const SHARED: usize = 1_024;

/// The names of a mailbox's keywords, and the flags made of them.
#[derive(Default)]
pub(crate) struct Keywords {
    by_id: HashMap<u16, Keyword>,
    by_name: HashMap<Keyword, u16>,
    /// Ids that were asked for and may be on no page yet.
    given: HashSet<u16>,
    made: HashMap<Box<[u16]>, Flags>,
}

impl Keywords {
    /// All of a mailbox.
    pub(crate) fn load(conn: &Connection, place: Place) -> Result<Self> {
        let mut all = conn
            .prepare_cached("SELECT id, name FROM keywords WHERE account = ? AND mailbox = ?")
            .map_err(sql)?;
        let mut rows = all.query(params![place.account, place.mailbox]).map_err(sql)?;
        let mut keywords = Self::default();
        while let Some(row) = rows.next().map_err(sql)? {
            let id: u16 = row.get(0).map_err(sql)?;
            let name = row.get_ref(1).map_err(sql)?;
            let name = name.as_str().ok().and_then(Keyword::new);
            keywords.insert(id, name.ok_or_else(|| damaged("a keyword that is no atom"))?);
        }
        Ok(keywords)
    }

    fn insert(&mut self, id: u16, name: Keyword) {
        self.by_name.insert(name.clone(), id);
        self.by_id.insert(id, name);
    }

    /// The flags of these bits and ids. Messages with the same keywords share them.
    pub(crate) fn flags(&mut self, system: u8, ids: &[u16]) -> Flags {
        if ids.is_empty() {
            return Flags::from_parts(system, []);
        }
        if let Some(made) = self.made.get(ids) {
            return Flags::from_parts(system, []).union(made);
        }
        let names = ids.iter().filter_map(|id| self.by_id.get(id)).cloned();
        let flags = Flags::from_parts(0, names);
        if self.made.len() < SHARED {
            self.made.insert(ids.into(), flags.clone());
        }
        Flags::from_parts(system, []).union(&flags)
    }

    /// The sorted ids of those names that are there.
    pub(crate) fn known(&self, names: &[Keyword]) -> Vec<u16> {
        let mut ids: Vec<u16> = names.iter().filter_map(|n| self.by_name.get(n)).copied().collect();
        ids.sort_unstable();
        ids
    }

    /// The names of these ids.
    pub(crate) fn names<'a>(&'a self, ids: &'a [u16]) -> impl Iterator<Item = &'a Keyword> {
        ids.iter().filter_map(|id| self.by_id.get(id))
    }

    /// The sorted ids of these names; what is new is written down.
    ///
    /// # Errors
    /// [`Limit`](ErrorKind::Limit) when there are too many, also without those that no message has any more.
    pub(crate) fn intern<'a>(
        &mut self,
        conn: &Connection,
        place: Place,
        names: impl IntoIterator<Item = &'a Keyword>,
    ) -> Result<Vec<u16>> {
        let mut ids = Vec::new();
        for name in names {
            let id = match self.by_name.get(name) {
                Some(id) => *id,
                None => self.add(conn, place, name)?,
            };
            self.given.insert(id);
            ids.push(id);
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    fn add(&mut self, conn: &Connection, place: Place, name: &Keyword) -> Result<u16> {
        if self.by_id.len() >= MAX_KEYWORDS {
            self.forget_unused(conn, place)?;
        }
        let after = self.by_id.len() + 1;
        let id = (after..=MAX_KEYWORDS)
            .chain(1..after)
            .filter_map(|id| u16::try_from(id).ok())
            .find(|id| usize::from(*id) <= MAX_KEYWORDS && !self.by_id.contains_key(id))
            .ok_or_else(|| {
                let text = format!("a mailbox can have at most {MAX_KEYWORDS} keywords");
                Error::new(ErrorKind::Limit, text)
            })?;
        conn.prepare_cached("INSERT INTO keywords (account, mailbox, id, name) VALUES (?, ?, ?, ?)")
            .and_then(|mut s| s.execute(params![place.account, place.mailbox, id, name.as_str()]))
            .map_err(sql)?;
        self.insert(id, name.clone());
        Ok(id)
    }

    /// Looks through every page for keywords that no message has: rare, and only at the limit.
    fn forget_unused(&mut self, conn: &Connection, place: Place) -> Result<()> {
        let mut used = self.given.clone();
        let mut pages = conn
            .prepare_cached("SELECT records FROM pages WHERE account = ? AND mailbox = ?")
            .map_err(sql)?;
        let mut rows = pages.query(params![place.account, place.mailbox]).map_err(sql)?;
        let mut page = Page::default();
        while let Some(row) = rows.next().map_err(sql)? {
            let blob = row.get_ref(0).map_err(sql)?;
            blob.as_blob()
                .ok()
                .and_then(|b| page.decode_into(b))
                .ok_or_else(|| damaged("a page of flags"))?;
            page.records.iter().for_each(|r| used.extend(page.keywords_of(r)));
        }
        let unused: Vec<u16> = self.by_id.keys().copied().filter(|id| !used.contains(id)).collect();
        let mut delete = conn
            .prepare_cached("DELETE FROM keywords WHERE account = ? AND mailbox = ? AND id = ?")
            .map_err(sql)?;
        for id in unused {
            delete.execute(params![place.account, place.mailbox, id]).map_err(sql)?;
            if let Some(name) = self.by_id.remove(&id) {
                self.by_name.remove(&name);
            }
        }
        self.made.clear();
        Ok(())
    }
}
