//! Why something is not measured, and the flag that ends a run early.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Why something is not measured.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The connection is broken, or there is none.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// An answer is not what it must be.
    #[error("{0}")]
    Wrong(String),
    /// The server, or what we were told of it, lacks what is needed.
    #[error("{0}")]
    Lacks(String),
    /// The run is to end.
    #[error("the run was interrupted")]
    Interrupted,
}

impl Trouble {
    /// An answer that is not what it must be.
    pub(super) fn wrong<T>(what: impl Into<String>) -> Result<T> {
        Err(Self::Wrong(what.into()))
    }

    /// Something that is needed and not there.
    pub(super) fn lacks<T>(what: impl Into<String>) -> Result<T> {
        Err(Self::Lacks(what.into()))
    }
}

/// What is measured, or why not.
pub(super) type Result<T> = std::result::Result<T, Trouble>;

/// Ends a run early when it is set: from a signal handler's task, say. Clones are the same flag.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// The run ends after the octets that are being waited for; its mailboxes are removed.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// # Errors
    /// [`Trouble::Interrupted`] when it is set.
    pub(super) fn check(&self) -> Result<()> {
        if self.is_set() {
            Err(Trouble::Interrupted)
        } else {
            Ok(())
        }
    }
}
