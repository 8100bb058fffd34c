//! STARTTLS (RFC 3501 6.2.1): nothing received before the handshake counts after it.

use backend_api::Backend;
use imap_core::{Answer, Code, Tag};
use tokio::time::timeout_at;

use crate::connection::Conn;
use crate::reply::{Fail, Reply};
use crate::tls;
use crate::wire::End;

pub(super) async fn run<B: Backend>(conn: &mut Conn<B>, tag: &Tag) -> Result<Reply, Fail> {
    let Some(config) = conn.starttls.take() else {
        return Reply::no(Code::Cannot, "TLS is not available");
    };
    conn.wire.core.complete(tag, &Answer::ok("Begin TLS negotiation now"));
    conn.wire.flush().await?;
    let deadline = conn.wire.deadline();
    let handshake = conn.wire.rx.replace(async |stream| tls::handshake(&config, stream).await);
    match timeout_at(deadline, handshake).await {
        Ok(done) => done.map_err(End::Broken)?,
        Err(_) => return Err(End::Broken(std::io::ErrorKind::TimedOut.into()).into()),
    }
    // A command smuggled in front of the handshake would otherwise run as if it had been encrypted (RFC 7817's neighbours,
    // CVE-2011-0411).
    conn.wire.core.set_tls();
    conn.info.tls = true;
    conn.place.set_tls();
    tracing::debug!("TLS begun");
    Ok(Reply::Answered)
}
