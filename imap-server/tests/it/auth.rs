//! Who gets in, where passwords may be sent, and how long a wrong one takes.

use std::time::Duration;

use imap_server::prelude::*;
use tokio::time::Instant;

use crate::client::{CAPS, CAPS_IN, Client, far, greeting_without_login};
use crate::fake::{Fake, Fault};

fn base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in octets.chunks(3) {
        let bits = group.iter().fold(0_u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - group.len()));
        for i in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * i)) as usize & 63] as char;
            text.push(if i <= group.len() { digit } else { '=' });
        }
    }
    text
}

fn in_ok() -> String {
    format!("a OK [CAPABILITY {CAPS_IN}] Logged in\r\n")
}

const WRONG: &str = "a NO [AUTHENTICATIONFAILED] user name or password is wrong\r\n";

#[tokio::test(start_paused = true)]
async fn plain_is_taken_with_and_without_initial_response() {
    let fake = Fake::new(0);
    let server = Server::new(fake);
    let message = base64(b"\0demo\0secret");
    let mut c = Client::greeted(&server).await;
    c.send(format!("a AUTHENTICATE PLAIN {message}\r\n")).await;
    c.expect(&in_ok()).await;
    let mut c = Client::greeted(&server).await;
    c.send("a AUTHENTICATE PLAIN\r\n").await;
    c.expect("+ \r\n").await;
    c.send(format!("{message}\r\n")).await;
    c.expect(&in_ok()).await;
}

#[tokio::test(start_paused = true)]
async fn the_mechanism_login_asks_twice() {
    let server = Server::new(Fake::new(0));
    let mut c = Client::greeted(&server).await;
    c.send("a AUTHENTICATE LOGIN\r\n").await;
    c.expect(&format!("+ {}\r\n", base64(b"User Name"))).await;
    c.send(format!("{}\r\n", base64("jürgen".as_bytes()))).await;
    c.expect(&format!("+ {}\r\n", base64(b"Password"))).await;
    c.send(format!("{}\r\n", base64(b"secret"))).await;
    c.expect(&in_ok()).await;
    assert_eq!(server.handle().sessions()[0].user.as_deref(), Some("jürgen"));
}

#[tokio::test(start_paused = true)]
async fn authenticate_can_be_cancelled() {
    let server = Server::new(Fake::new(0));
    let mut c = Client::greeted(&server).await;
    c.talk("C: a AUTHENTICATE PLAIN\nS: + \nC: *\nS: a BAD AUTHENTICATE cancelled\nC: b NOOP\nS: b OK NOOP completed")
        .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_no_base64_is_bad_and_the_connection_goes_on() {
    let server = Server::new(Fake::new(0));
    let mut c = Client::greeted(&server).await;
    c.send("a AUTHENTICATE PLAIN\r\n").await;
    c.expect("+ \r\n").await;
    c.send("!!!\r\n").await;
    c.expect("a BAD expected base64\r\n").await;
    c.talk("C: b NOOP\nS: b OK NOOP completed").await;
}

#[tokio::test(start_paused = true)]
async fn an_unknown_mechanism_is_refused() {
    let fake = Fake::new(0);
    let mut c = Client::greeted(&Server::new(fake.clone())).await;
    c.send("a AUTHENTICATE CRAM-MD5\r\n").await;
    c.expect("a NO [CANNOT] this mechanism is not offered\r\n").await;
    assert_eq!(fake.calls(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn nobody_acts_for_somebody_else() {
    let fake = Fake::new(0);
    let mut c = Client::greeted(&Server::new(fake.clone())).await;
    c.send(format!("a AUTHENTICATE PLAIN {}\r\n", base64(b"boss\0demo\0secret")))
        .await;
    c.expect("a NO [AUTHORIZATIONFAILED] not allowed to act for another user\r\n")
        .await;
    assert_eq!(fake.calls(), [""; 0]);
    c.send(format!("a AUTHENTICATE PLAIN {}\r\n", base64(b"demo\0demo\0secret")))
        .await;
    c.expect(&in_ok()).await;
}

#[tokio::test(start_paused = true)]
async fn a_nul_behind_a_password_is_another_password() {
    let server = Server::new(Fake::new(0));
    for message in [&b"\0demo\0secret\0"[..], b"\0demo\0secret\0x", b"\0demo\0\0secret"] {
        let mut c = Client::greeted(&server).await;
        c.send(format!("a AUTHENTICATE PLAIN {}\r\n", base64(message))).await;
        c.expect(WRONG).await;
    }
    let mut c = Client::greeted(&server).await;
    c.send("a AUTHENTICATE LOGIN\r\n").await;
    c.line().await;
    c.send(format!("{}\r\n", base64(b"demo"))).await;
    c.line().await;
    c.send(format!("{}\r\n", base64(b"secret\0"))).await;
    c.expect(WRONG).await;
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_answered_late_and_delays_nobody_else() {
    let server = Server::new(Fake::new(0));
    let mut c = Client::greeted(&server).await;
    let mut other = Client::logged_in(&server).await;
    let start = Instant::now();
    c.send("a LOGIN demo wrong\r\n").await;
    other.send("x NOOP\r\n").await;
    other.expect("x OK NOOP completed\r\n").await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    c.expect(WRONG).await;
    assert_eq!(start.elapsed(), Duration::from_millis(1_500));
}

#[tokio::test(start_paused = true)]
async fn five_wrong_passwords_end_the_connection() {
    let server = Server::new(Fake::new(0));
    let mut c = Client::greeted(&server).await;
    for _ in 0..5 {
        c.send("a LOGIN demo wrong\r\n").await;
        c.expect(WRONG).await;
    }
    c.expect("* BYE Too many failed logins\r\n").await;
    c.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn between_two_machines_a_password_needs_tls() {
    let fake = Fake::new(0);
    let server = Server::new(fake.clone());
    let mut c = Client::with_pipe(&server, far(), Tls::None, 4096);
    c.expect(&greeting_without_login(false)).await;
    for command in [
        "LOGIN demo secret",
        "AUTHENTICATE PLAIN",
        "AUTHENTICATE LOGIN",
        "AUTHENTICATE PLAIN AGRlbW8Ac2VjcmV0",
    ] {
        c.send(format!("a {command}\r\n")).await;
        c.expect("a NO [PRIVACYREQUIRED] passwords are taken over TLS alone\r\n")
            .await;
    }
    assert_eq!(fake.calls(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn one_loopback_end_is_not_enough() {
    let server = Server::new(Fake::new(0));
    let half = ConnInfo::new("127.0.0.1:9".parse().ok(), "192.0.2.1:143".parse().ok());
    for info in [half, ConnInfo::default()] {
        let mut c = Client::with_pipe(&server, info, Tls::None, 4096);
        c.expect(&greeting_without_login(false)).await;
    }
    let mapped = ConnInfo::new("[::ffff:127.0.0.1]:9".parse().ok(), "[::1]:143".parse().ok());
    let mut c = Client::with_pipe(&server, mapped, Tls::None, 4096);
    c.expect(&format!("* OK [CAPABILITY {CAPS}] Ready\r\n")).await;
}

#[tokio::test(start_paused = true)]
async fn a_password_is_taken_on_an_encrypted_stream_and_where_it_was_allowed() {
    let mut encrypted = far();
    encrypted.tls = true;
    let mut c = Client::with_pipe(&Server::new(Fake::new(0)), encrypted, Tls::None, 4096);
    c.expect(&format!("* OK [CAPABILITY {CAPS}] Ready\r\n")).await;
    let insecure = Server::builder(Fake::new(0)).insecure_auth(true).build();
    let mut c = Client::with_pipe(&insecure, far(), Tls::None, 4096);
    c.line().await;
    c.send("a LOGIN demo secret\r\n").await;
    c.expect(&in_ok()).await;
}

#[tokio::test(start_paused = true)]
async fn logging_in_twice_and_commands_before_login_are_bad() {
    let server = Server::new(Fake::new(0));
    let mut c = Client::greeted(&server).await;
    c.send("a SELECT INBOX\r\n").await;
    c.expect("a BAD SELECT is not possible now: log in first\r\n").await;
    let mut c = Client::logged_in(&server).await;
    for (command, arguments) in [("LOGIN", " demo secret"), ("AUTHENTICATE", " PLAIN"), ("STARTTLS", "")] {
        c.send(format!("a {command}{arguments}\r\n")).await;
        c.expect(&format!("a BAD {command} is not possible now: already logged in\r\n"))
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_log_in_within_a_minute_is_sent_away() {
    let server = Server::new(Fake::new(0));
    let mut c = Client::greeted(&server).await;
    let start = Instant::now();
    tokio::time::sleep(Duration::from_secs(50)).await;
    c.talk("C: a NOOP\nS: a OK NOOP completed").await;
    c.expect("* BYE Login took too long\r\n").await;
    assert_eq!(start.elapsed().as_secs(), 60);
    c.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_login_that_hangs_is_given_up() {
    let fake = Fake::new(0).with(Fault::LoginHangs);
    let mut c = Client::greeted(&Server::new(fake)).await;
    c.send("a LOGIN demo secret\r\n").await;
    c.expect("a NO [UNAVAILABLE] the password could not be checked in time\r\n")
        .await;
    c.expect("* BYE Login took too long\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_backend_may_know_the_client_or_turn_it_away() {
    let fake = Fake::new(0);
    fake.world().preauth = true;
    let server = Server::new(fake.clone());
    let mut c = Client::new(&server);
    c.expect(&format!("* PREAUTH [CAPABILITY {CAPS_IN}] Ready\r\n")).await;
    c.talk("C: a STATUS INBOX (MESSAGES)\nS: * STATUS INBOX (MESSAGES 0)\nS: a OK STATUS completed")
        .await;
    fake.world().turn_away = Some("Not you");
    let mut c = Client::new(&server);
    c.expect("* BYE Not you\r\n").await;
    c.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn there_are_caps_on_connections_in_all_of_a_user_and_from_an_address() {
    let caps = |f: fn(&mut Caps)| {
        let mut caps = Caps::default();
        f(&mut caps);
        Server::builder(Fake::new(0)).caps(caps).build()
    };
    let server = caps(|c| c.connections = 1);
    let first = Client::greeted(&server).await;
    let mut second = Client::new(&server);
    second
        .expect("* BYE Too many connections to this server, try again later\r\n")
        .await;
    second.expect_end().await;
    drop(first.stream);
    first.task.await.unwrap();
    Client::greeted(&server).await;

    let server = caps(|c| c.per_address = 1);
    let _first = Client::greeted(&server).await;
    let mut second = Client::new(&server);
    second
        .expect("* BYE Too many connections from your address, try again later\r\n")
        .await;

    let server = caps(|c| c.per_user = 1);
    let _first = Client::logged_in(&server).await;
    let mut second = Client::greeted(&server).await;
    second.send("a LOGIN demo secret\r\n").await;
    second
        .expect("a NO [LIMIT] Too many connections of this user, close some first\r\n")
        .await;
    second.send("b LOGIN user2 secret\r\n").await;
    second
        .expect(&format!("b OK [CAPABILITY {CAPS_IN}] Logged in\r\n"))
        .await;
}

/// R3501-090: before login what some session may be able to do, after it what this one can; in CAPABILITY, in the codes of
/// the greeting and of LOGIN, and at once where no login is needed.
#[tokio::test(start_paused = true)]
async fn what_a_session_cannot_do_is_not_offered() {
    let fake = Fake::new(0);
    let mut may = Abilities::ALL;
    may.create_special_use = false;
    let mut can = Abilities::READ_ONLY;
    can.add = true;
    fake.world().abilities = [may, can];
    let common = "SASL-IR ID ENABLE IDLE LITERAL+ NAMESPACE UNSELECT";
    let before =
        format!("IMAP4rev1 AUTH=PLAIN AUTH=LOGIN {common} UIDPLUS MOVE CHILDREN SPECIAL-USE APPENDLIMIT=1073741824");
    let after = format!("IMAP4rev1 {common} CHILDREN SPECIAL-USE APPENDLIMIT=1073741824");
    let server = Server::new(fake.clone());
    let mut c = Client::new(&server);
    c.expect(&format!("* OK [CAPABILITY {before}] Ready\r\n")).await;
    c.send("a CAPABILITY\r\n").await;
    c.expect(&format!("* CAPABILITY {before}\r\na OK CAPABILITY completed\r\n"))
        .await;
    c.send("b LOGIN demo secret\r\n").await;
    c.expect(&format!("b OK [CAPABILITY {after}] Logged in\r\n")).await;
    c.send("c CAPABILITY\r\n").await;
    c.expect(&format!("* CAPABILITY {after}\r\nc OK CAPABILITY completed\r\n"))
        .await;
    fake.world().preauth = true;
    let mut c = Client::new(&server);
    c.expect(&format!("* PREAUTH [CAPABILITY {after}] Ready\r\n")).await;
}
