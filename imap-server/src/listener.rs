//! Accepting connections: sockets set up, a task each, and what to do when accepting fails.

use std::io;
use std::time::Duration;

use backend_api::{Backend, ConnInfo};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::prompt::Prompt;
use crate::server::Server;
use crate::tls::Tls;

impl<B: Backend> Server<B> {
    /// Serves every connection that a listener accepts, each on a task of its own, until
    /// [`Handle::shutdown`](crate::Handle::shutdown).
    ///
    /// # Errors
    /// The listener is of no use any more. That the process ran out of file handles is none: accepting goes on when there
    /// are some again.
    ///
    /// # Cancel safety
    /// Dropping the future stops accepting; connections go on.
    pub async fn serve_listener(&self, listener: TcpListener, tls: Tls) -> io::Result<()> {
        let closing = self.shared.registry.closing.clone();
        loop {
            let accepted = tokio::select! {
                biased;
                () = closing.cancelled() => return Ok(()),
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.spawn(stream, peer, tls.clone()),
                Err(e) => retry(e).await?,
            }
        }
    }

    fn spawn(&self, stream: TcpStream, peer: std::net::SocketAddr, tls: Tls) {
        if let Err(error) = prepare(&stream) {
            tracing::debug!(%peer, %error, "the socket cannot be set up: closed already?");
        }
        let info = ConnInfo::new(Some(peer), stream.local_addr().ok());
        let server = self.clone();
        tokio::spawn(async move { server.serve_tls(Prompt::new(stream), info, tls).await });
    }
}

/// Without NODELAY an answer waits for the acknowledgement of the one before (44 ms). Keep-alive finds out about peers that
/// vanished in the 30 minutes for which they may be silent.
fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keep_alive = TcpKeepalive::new()
        .with_time(Duration::from_secs(300))
        .with_interval(Duration::from_secs(60));
    SockRef::from(stream).set_tcp_keepalive(&keep_alive)
}

/// Lets pass what concerns one connection, or what time heals.
async fn retry(error: io::Error) -> io::Result<()> {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionAborted | Kind::ConnectionReset | Kind::ConnectionRefused | Kind::Interrupted => Ok(()),
        Kind::InvalidInput | Kind::Unsupported => Err(error),
        // Out of file handles or memory: the listener stays readable, so trying at once would be a busy loop.
        _ => {
            tracing::error!(%error, "cannot accept connections");
            sleep(Duration::from_millis(200)).await;
            Ok(())
        }
    }
}
