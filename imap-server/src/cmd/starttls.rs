//! STARTTLS (RFC 3501 6.2.1): nothing received before the handshake counts after it.

use backend_api::Backend;
use imap_core::{Answer, Code, Tag};

use crate::connection::Conn;
use crate::reply::{Fail, Reply};
use crate::tls;
use crate::wire::{End, Wire};

pub(super) async fn run<B: Backend>(conn: &mut Conn<B>, tag: &Tag) -> Result<Reply, Fail> {
    let Some(config) = conn.starttls.take() else {
        return Reply::no(Code::Cannot, "TLS is not available");
    };
    conn.wire.core.complete(tag, &Answer::ok("Begin TLS negotiation now"));
    conn.wire.flush().await?;
    let deadline = conn.wire.deadline();
    let Wire { rx, entry, .. } = &mut conn.wire;
    let encrypted = rx.replace(async |stream| tls::handshake(&config, stream, deadline, &entry.stop).await);
    encrypted.await.map_err(End::Broken)?;
    // A command in front of the handshake, smuggled in by somebody on the way, would otherwise run as if its client had
    // sent it (CVE-2011-0411).
    conn.wire.core.set_tls();
    conn.info.tls = true;
    conn.place.set_tls();
    tracing::debug!("TLS begun");
    Ok(Reply::Answered)
}
