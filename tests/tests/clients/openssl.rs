//! openssl s_client: STARTTLS, and TLS from the start, with the certificate that the server made for itself.

use crate::daemon::Daemon;
use crate::{is_installed, run};

#[test]
fn both_ways_to_tls_lead_to_a_login() {
    if !is_installed("openssl") {
        return;
    }
    let server = Daemon::start();
    let certificate = server.certificate().display().to_string();
    let port = format!("127.0.0.1:{}", server.port);
    let tls_port = format!("127.0.0.1:{}", server.tls_port);
    let ways: [&[&str]; 2] = [&["-connect", &port, "-starttls", "imap"], &["-connect", &tls_port]];
    for way in ways {
        let mut arguments = vec![
            "s_client",
            "-quiet",
            "-verify_return_error",
            "-verify_hostname",
            "localhost",
            "-CAfile",
            &certificate,
        ];
        arguments.extend_from_slice(way);
        let output = run(
            server.folder(),
            "openssl",
            &arguments,
            b"a LOGIN demo secret\r\nb NOOP\r\nc LOGOUT\r\n",
        );
        let text = String::from_utf8(output).unwrap();
        let heard: Vec<String> = text
            .lines()
            .map(|l| l.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
            .collect();
        let last = &heard[heard.len().saturating_sub(4)..];
        assert_eq!(last, ["a OK", "b OK", "* BYE", "c OK"], "{text}");
    }
}
