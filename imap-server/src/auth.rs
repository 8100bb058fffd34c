//! Logging in: credentials to the backend, the delay and the count of failures, and what PLAIN's message means.

use backend_api::{Backend, Credentials, Ctx, Error, ErrorKind, Session};
use imap_core::{Answer, Code, Connection};
use tokio::time::{sleep, timeout_at};

use crate::connection::Conn;
use crate::reply::{Fail, Reply};

/// Asks the backend, and lets the user in.
///
/// # Errors
/// [`Fail`]; a wrong password only after a delay.
pub(crate) async fn log_in<B: Backend>(conn: &mut Conn<B>, user: &str, password: &[u8]) -> Result<Reply, Fail> {
    // A NUL ends a string in much of what checks passwords: `secret\0x` must not be `secret`.
    if user.contains('\0') || password.contains(&0) {
        return failed(conn, Some(user), Error::authentication_failed()).await;
    }
    let Conn { server, wire, info, .. } = conn;
    let deadline = wire.deadline();
    let ctx = Ctx::new(info);
    let work = server.backend.login(&ctx, Credentials::Password { user, password });
    let result = match wire.race(timeout_at(deadline, work)).await? {
        Ok(result) => result,
        Err(_) => Err(Error::new(
            ErrorKind::Unavailable,
            "the password could not be checked in time",
        )),
    };
    match result {
        Ok(session) => admit(conn, session),
        Err(error) if is_refusal(error.kind()) => failed(conn, Some(user), error).await,
        Err(error) => Err(error.into()),
    }
}

fn is_refusal(kind: ErrorKind) -> bool {
    use ErrorKind as E;
    matches!(kind, E::AuthenticationFailed | E::AuthorizationFailed | E::Expired)
}

fn admit<B: Backend>(conn: &mut Conn<B>, session: B::Session) -> Result<Reply, Fail> {
    if !conn.place.log_in(session.user(), &conn.server.config.caps) {
        return Err(Error::new(ErrorKind::Limit, TOO_MANY).into());
    }
    tracing::info!(user = session.user(), "logged in");
    take_limits(&mut conn.wire.core, &session);
    conn.session = Some(session);
    conn.wire.core.set_authenticated();
    conn.wire.logged_in();
    let list = conn.wire.core.capabilities();
    Ok(Reply::Answer(
        Answer::ok("Logged in").with_code(Code::Capability(list.into())),
    ))
}

/// What a session can do less of than the server.
pub(crate) fn take_limits(core: &mut Connection, session: &impl Session) {
    core.set_abilities(session.abilities());
    if let Some(octets) = session.append_limit() {
        core.set_append_limit(octets);
    }
}

/// Answers a wrong password, slowly: on this connection alone.
///
/// # Errors
/// Always the refusal, or the end of the connection.
pub(crate) async fn failed<B: Backend>(conn: &mut Conn<B>, user: Option<&str>, error: Error) -> Result<Reply, Fail> {
    conn.failed_logins += 1;
    tracing::info!(?user, tries = conn.failed_logins, kind = ?error.kind(), "login failed");
    let delay = conn.server.config.times.failed_login;
    conn.wire.flush().await?;
    conn.wire.race(sleep(delay)).await?;
    if conn.failed_logins >= conn.server.config.caps.failed_logins {
        conn.bye = Some("Too many failed logins".into());
    }
    Err(error.into())
}

/// What the message of PLAIN says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Plain<'a> {
    /// This user with this password.
    Is {
        /// The identity.
        user: &'a str,
        /// The password.
        password: &'a [u8],
    },
    /// Somebody wants to act as somebody else.
    ForAnother,
    /// It is not `[authzid] NUL authcid NUL passwd` (RFC 4616 2).
    Malformed,
}

/// Takes the message of PLAIN apart; a NUL in a password makes it malformed, never a shorter password.
pub(crate) fn parse_plain(message: &[u8]) -> Plain<'_> {
    let mut parts = message.split(|octet| *octet == 0);
    let (Some(authzid), Some(authcid), Some(password), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Plain::Malformed;
    };
    let Ok(user) = std::str::from_utf8(authcid) else {
        return Plain::Malformed;
    };
    if user.is_empty() {
        return Plain::Malformed;
    }
    if !authzid.is_empty() && authzid != authcid {
        return Plain::ForAnother;
    }
    Plain::Is { user, password }
}

/// Told to a user with more connections than allowed.
pub(crate) const TOO_MANY: &str = "Too many connections of this user, close some first";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_has_three_parts_and_no_more() {
        let is = |user, password| Plain::Is { user, password };
        let table: &[(&[u8], Plain<'_>)] = &[
            (b"\0tim\0tanstaaftanstaaf", is("tim", b"tanstaaftanstaaf")),
            (b"tim\0tim\0x", is("tim", b"x")),
            (b"\0tim\0", is("tim", b"")),
            ("\0jürgen\0ü".as_bytes(), is("jürgen", "ü".as_bytes())),
            (b"Ursel\0Kurt\0xipj3plmq", Plain::ForAnother),
            (b"\0tim\0secret\0", Plain::Malformed),
            (b"\0tim\0secret\0x", Plain::Malformed),
            (b"\0tim", Plain::Malformed),
            (b"\0\0secret", Plain::Malformed),
            (b"", Plain::Malformed),
            (b"\0\xff\0x", Plain::Malformed),
        ];
        for (message, meaning) in table {
            assert_eq!(parse_plain(message), *meaning, "{message:?}");
        }
    }
}
