//! AUTHENTICATE (RFC 3501 6.2.2, RFC 4959) with the mechanisms PLAIN (RFC 4616) and LOGIN.

use backend_api::{Backend, Error, ErrorKind};
use imap_core::{Answer, Code, Event, Secret};

use crate::auth::{self, Plain};
use crate::connection::Conn;
use crate::reply::{Fail, Reply};

pub(super) async fn run<B: Backend>(
    conn: &mut Conn<B>,
    mechanism: &str,
    initial: Option<Secret>,
) -> Result<Reply, Fail> {
    match mechanism {
        "PLAIN" => plain(conn, initial).await,
        "LOGIN" => login(conn, initial).await,
        _ => Reply::no(Code::Cannot, "There is no such mechanism"),
    }
}

async fn plain<B: Backend>(conn: &mut Conn<B>, initial: Option<Secret>) -> Result<Reply, Fail> {
    let response = match answer_or_ask(conn, initial, b"").await? {
        Ok(response) => response,
        Err(reply) => return Ok(reply),
    };
    match auth::parse_plain(response.expose()) {
        Plain::Is { user, password } => auth::log_in(conn, user, password).await,
        Plain::ForAnother => {
            Err(Error::new(ErrorKind::AuthorizationFailed, "not allowed to act for another user").into())
        }
        Plain::Malformed => auth::failed(conn, None, Error::authentication_failed()).await,
    }
}

/// The mechanism that Outlook speaks: two questions, and the answers as they are.
async fn login<B: Backend>(conn: &mut Conn<B>, initial: Option<Secret>) -> Result<Reply, Fail> {
    let user = match answer_or_ask(conn, initial, b"User Name").await? {
        Ok(user) => user,
        Err(reply) => return Ok(reply),
    };
    let password = match answer_or_ask(conn, None, b"Password").await? {
        Ok(password) => password,
        Err(reply) => return Ok(reply),
    };
    match std::str::from_utf8(user.expose()) {
        Ok(user) => auth::log_in(conn, user, password.expose()).await,
        Err(_) => auth::failed(conn, None, Error::authentication_failed()).await,
    }
}

/// The client's next response: what came with the command, else the answer to this challenge. The inner error is the
/// command's answer.
async fn answer_or_ask<B: Backend>(
    conn: &mut Conn<B>,
    initial: Option<Secret>,
    challenge: &[u8],
) -> Result<Result<Secret, Reply>, Fail> {
    if let Some(initial) = initial {
        return Ok(Ok(initial));
    }
    conn.wire.core.sasl_challenge(challenge);
    Ok(match conn.wire.next().await? {
        Event::SaslResponse(Some(response)) => Ok(response),
        // RFC 3501 6.2.2: a cancelled AUTHENTICATE is answered BAD.
        Event::SaslResponse(None) => Err(Reply::Answer(Answer::bad("AUTHENTICATE cancelled"))),
        _ => Err(Reply::Answered),
    })
}
