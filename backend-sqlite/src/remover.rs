//! Files that no message needs any more, removed by a thread of their own: a large one takes some file systems tens of
//! milliseconds, in which nothing could be committed.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use crate::folder;
use crate::stage::StagedFile;

/// Files that wait. More are removed by whoever brings them.
const MOST: usize = 1_024;

/// Hands files to the thread.
pub(crate) struct Remover(SyncSender<Job>);

/// What the thread is handed.
pub(crate) struct Jobs(Receiver<Job>);

enum Job {
    Remove(PathBuf),
    Discard(StagedFile),
    /// Everything before it is done when this is dropped.
    Reached(tokio::sync::oneshot::Sender<()>),
    Stop,
}

impl Remover {
    pub(crate) fn new() -> (Self, Jobs) {
        let (jobs, queue) = sync_channel(MOST);
        (Self(jobs), Jobs(queue))
    }

    /// Removes a file that no row names any more.
    pub(crate) fn remove(&self, path: PathBuf) {
        self.hand_over(Job::Remove(path));
    }

    /// Removes a file that no row came to name.
    pub(crate) fn discard(&self, file: StagedFile) {
        self.hand_over(Job::Discard(file));
    }

    fn hand_over(&self, job: Job) {
        match self.0.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) => job.done(),
        }
    }

    /// Returns when what was handed over before is removed.
    ///
    /// # Cancel safety
    /// Nothing is changed.
    pub(crate) async fn settled(self: &Arc<Self>) {
        let (reached, end) = tokio::sync::oneshot::channel();
        let this = self.clone();
        // The queue may be full.
        let _ = tokio::task::spawn_blocking(move || this.0.send(Job::Reached(reached))).await;
        let _ = end.await;
    }

    /// The thread ends after what it was handed before.
    pub(crate) fn stop(&self) {
        let _ = self.0.send(Job::Stop);
    }
}

impl Job {
    fn done(self) {
        match self {
            Self::Remove(path) => {
                if let Err(e) = folder::remove_file(&path) {
                    tracing::warn!(error = %e, "a message's file could not be removed; it is swept later");
                }
            }
            Self::Discard(file) => drop(file),
            Self::Reached(reached) => drop(reached.send(())),
            Self::Stop => {}
        }
    }
}

/// The thread.
pub(crate) fn run(Jobs(queue): &Jobs) {
    while let Ok(job) = queue.recv() {
        if matches!(job, Job::Stop) {
            return;
        }
        job.done();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_the_thread_has_no_room_for_is_removed_by_who_brings_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = |n: usize| {
            let path = dir.path().join(n.to_string());
            std::fs::write(&path, "").unwrap();
            path
        };
        let there = || std::fs::read_dir(dir.path()).unwrap().count();
        let (remover, jobs) = Remover::new();
        for n in 0..MOST {
            remover.remove(file(n));
        }
        assert_eq!(there(), MOST, "nobody works yet");
        remover.remove(file(MOST));
        assert_eq!(there(), MOST);
        let thread = std::thread::spawn(move || run(&jobs));
        let remover = Arc::new(remover);
        remover.settled().await;
        assert_eq!(there(), 0);
        remover.stop();
        thread.join().unwrap();
        remover.remove(file(0));
        assert_eq!(there(), 0, "the thread is no more");
        remover.settled().await;
    }
}
