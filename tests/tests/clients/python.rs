//! Python's imaplib: its every command, literals, IDLE by hand, TLS and STARTTLS. The dialogue is in `imaplib_dialogue.py`.

use crate::daemon::Daemon;
use crate::{is_installed, run};

#[test]
fn imaplib_holds_its_dialogue() {
    if !is_installed("python3") {
        return;
    }
    let server = Daemon::start();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/imaplib_dialogue.py");
    let certificate = server.certificate().display().to_string();
    let (port, tls_port) = (server.port.to_string(), server.tls_port.to_string());
    let output = run(
        server.folder(),
        "python3",
        &[script, &port, &tls_port, &certificate],
        b"",
    );
    assert_eq!(
        String::from_utf8(output).unwrap(),
        "plain: done\nSTARTTLS: done\nTLS: done\n"
    );
}
