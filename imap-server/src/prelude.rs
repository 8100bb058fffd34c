//! Everything an embedder needs, in one `use`.

pub use backend_api::*;
pub use backendutil::{Hub, Mapped};

pub use crate::{Caps, Handle, PollPolicy, Server, SessionInfo, Times, Tls, server_config};
