//! What a client was told of flags since the last poll, so that the poll does not say it again.

use std::collections::BTreeMap;

use backend_api::{ModSeq, Seq, Uid};

/// Messages whose present state was told, and as of which mod-sequence. What is told of a message again replaces what was
/// told before: it is as large as what was told is, however often that was.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// By their first UID; none reaches into another.
    runs: BTreeMap<Uid, Run>,
    /// The one that grows; in none of `runs` yet.
    open: Option<Open>,
}

/// Messages up to this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    last: Uid,
    mod_seq: ModSeq,
}

/// Messages under consecutive numbers.
#[derive(Debug)]
struct Open {
    first: Uid,
    last: Uid,
    last_seq: Seq,
    mod_seq: ModSeq,
}

impl Told {
    /// This message was told as it is at this mod-sequence.
    pub(super) fn put(&mut self, seq: Seq, uid: Uid, mod_seq: ModSeq) {
        match &mut self.open {
            // A message between the two that was not told may have the same mod-sequence.
            Some(run) if run.mod_seq == mod_seq && run.last_seq.next() == Some(seq) => {
                run.last = uid;
                run.last_seq = seq;
            }
            _ => {
                self.close();
                self.open = Some(Open {
                    first: uid,
                    last: uid,
                    last_seq: seq,
                    mod_seq,
                });
            }
        }
    }

    /// Before [`has`](Self::has) and [`mentions`](Self::mentions).
    pub(super) fn close(&mut self) {
        if let Some(run) = self.open.take() {
            self.replace(run.first, run.last, run.mod_seq);
        }
    }

    /// Takes in what was told after this.
    pub(super) fn add(&mut self, mut later: Self) {
        later.close();
        for (first, run) in later.runs {
            self.replace(first, run.last, run.mod_seq);
        }
    }

    /// Whether the last that was told of this message is its state at this mod-sequence.
    pub(super) fn has(&self, uid: Uid, mod_seq: ModSeq) -> bool {
        self.at(uid) == Some(mod_seq)
    }

    /// Whether anything was told of this message.
    pub(super) fn mentions(&self, uid: Uid) -> bool {
        self.at(uid).is_some()
    }

    fn at(&self, uid: Uid) -> Option<ModSeq> {
        let (_, run) = self.runs.range(..=uid).next_back()?;
        (run.last >= uid).then_some(run.mod_seq)
    }

    fn replace(&mut self, first: Uid, last: Uid, mod_seq: ModSeq) {
        let before = self.runs.range_mut(..first).next_back();
        if let Some((_, run)) = before
            && run.last >= first
        {
            let whole = *run;
            run.last = Uid::new(first.get() - 1).unwrap_or(Uid::MIN);
            self.keep_behind(last, whole);
        }
        while let Some(start) = self.runs.range(first..=last).next().map(|(start, _)| *start) {
            if let Some(run) = self.runs.remove(&start) {
                self.keep_behind(last, run);
            }
        }
        self.runs.insert(first, Run { last, mod_seq });
    }

    /// What of a run lies behind this message stays.
    fn keep_behind(&mut self, last: Uid, run: Run) {
        if run.last > last
            && let Some(next) = last.next()
        {
            self.runs.insert(next, run);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn uid(n: u32) -> Uid {
        Uid::new(n).unwrap()
    }

    #[test]
    fn what_is_told_again_replaces_what_was_told_before() {
        let mut told = Told::default();
        for n in 1..10_000 {
            (1..=50).for_each(|seq| told.put(Seq::new(seq).unwrap(), uid(2 * seq), ModSeq(n)));
            told.put(Seq::new(7).unwrap(), uid(14), ModSeq(n + 1));
        }
        told.close();
        assert!(told.runs.len() <= 3, "{told:?}");
        assert!(told.has(uid(14), ModSeq(10_000)) && told.has(uid(16), ModSeq(9_999)));
        assert!(!told.has(uid(14), ModSeq(9_999)) && !told.mentions(uid(101)));
    }

    proptest! {
        /// Commands of ascending messages, every third UID none, each command under its own mod-sequence.
        #[test]
        fn it_is_a_table_of_what_was_told_last(commands in prop::collection::vec(
            prop::collection::btree_set(1_u32..40, 0..20), 0..12,
        ), apart in any::<bool>()) {
            let (mut told, mut table) = (Told::default(), HashMap::new());
            for (mod_seq, command) in (1..).zip(commands) {
                let mut now = if apart { Told::default() } else { std::mem::take(&mut told) };
                for seq in command {
                    let message = seq + seq / 2;
                    now.put(Seq::new(seq).unwrap(), uid(message), ModSeq(mod_seq));
                    table.insert(message, mod_seq);
                }
                if apart {
                    told.add(now);
                } else {
                    told = now;
                }
            }
            told.close();
            for n in (1..40).map(|seq| seq + seq / 2) {
                let expected = table.get(&n).copied().map(ModSeq);
                prop_assert_eq!(told.at(uid(n)), expected);
            }
        }
    }
}
