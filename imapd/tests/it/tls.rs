//! Certificates: which are refused and how, and where passwords may be sent without TLS.

use std::path::PathBuf;

use rcgen::{CertificateParams, KeyPair};

use crate::support::client::Client;
use crate::support::server::Server;
use crate::support::{Folder, ran};

/// Writes a new certificate for 127.0.0.1 and its key.
pub(crate) fn certificate(folder: &Folder, name: &str) -> (PathBuf, PathBuf) {
    let key = KeyPair::generate().unwrap();
    let cert = CertificateParams::new(["127.0.0.1".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    (
        folder.file(&format!("{name}.pem"), cert.pem()),
        folder.file(&format!("{name}.key"), key.serialize_pem()),
    )
}

fn refused(folder: &Folder, cert: &str, key: &str) -> String {
    let options = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--listen-tls",
        "none",
        "--tls-cert",
        cert,
        "--tls-key",
        key,
    ];
    let refused = folder.imapd(options, "");
    assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{}", refused.err);
    assert!(!folder.data().exists());
    refused.err
}

#[test]
fn a_certificate_of_ones_own_is_used() {
    let folder = Folder::with_users("alice:secret");
    let (cert, key) = certificate(&folder, "own");
    let options = [
        "--listen",
        "127.0.0.1:0",
        "--listen-tls",
        "127.0.0.1:0",
        "--tls-cert",
        "own.pem",
        "--tls-key",
    ];
    let options: Vec<&str> = options.into_iter().chain([key.to_str().unwrap()]).collect();
    let server = Server::start_with(&folder, &options, 2);
    Client::connect_tls(server.tls(), &cert)
        .unwrap()
        .log_in("alice", "secret");
    assert!(!folder.data().join("tls").exists());
}

#[test]
fn certificates_that_cannot_be_used_are_refused_in_words() {
    let folder = Folder::new();
    certificate(&folder, "one");
    certificate(&folder, "two");
    folder.file("junk", "junk");
    let missing = "imapd: the certificate missing cannot be read: No such file or directory (os error 2)\n";
    assert_eq!(refused(&folder, "missing", "one.key"), missing);
    let missing = "imapd: the private key missing cannot be read: No such file or directory (os error 2)\n";
    assert_eq!(refused(&folder, "one.pem", "missing"), missing);
    let junk = "imapd: junk holds no certificate; it must be PEM, with -----BEGIN CERTIFICATE-----\n";
    assert_eq!(refused(&folder, "junk", "one.key"), junk);
    assert_eq!(refused(&folder, "one.key", "one.key"), junk.replace("junk", "one.key"));
    let junk = "imapd: junk holds no private key in PEM form (-----BEGIN …-----)\n";
    assert_eq!(refused(&folder, "one.pem", "junk"), junk);
    assert_eq!(refused(&folder, "one.pem", "one.pem"), junk.replace("junk", "one.pem"));
    let mismatch = "imapd: the private key two.key does not belong to the certificate one.pem; is the server's own \
                    certificate the first in its file?\n";
    assert_eq!(refused(&folder, "one.pem", "two.key"), mismatch);
}

#[test]
fn the_certificate_that_is_made_is_kept_and_its_key_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::with_users("alice:secret");
    let first = Server::start(&folder).certificate();
    let made = std::fs::read(&first).unwrap();
    let server = Server::start(&folder);
    assert_eq!(std::fs::read(server.certificate()).unwrap(), made);
    let mode = |name: &str| {
        std::fs::metadata(folder.data().join(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!((mode("tls"), mode("tls/key.pem")), (0o700, 0o600));
    Client::connect_tls(server.tls(), &server.certificate()).unwrap();
}

#[test]
fn passwords_without_tls_are_taken_on_loopback() {
    let folder = Folder::with_users("alice:secret");
    let server = Server::start(&folder);
    let capabilities = server.connect().ok("CAPABILITY").remove(0);
    let words: Vec<&str> = capabilities.split(' ').collect();
    assert!(words.contains(&"STARTTLS") && words.contains(&"AUTH=PLAIN") && !words.contains(&"LOGINDISABLED"));
    let mut tls = Client::connect_tls(server.tls(), &server.certificate()).unwrap();
    let capabilities = tls.ok("CAPABILITY").remove(0);
    let words: Vec<&str> = capabilities.split(' ').collect();
    assert!(!words.contains(&"STARTTLS") && words.contains(&"AUTH=PLAIN") && !words.contains(&"LOGINDISABLED"));
}

#[test]
fn it_listens_where_it_is_told_to() {
    let folder = Folder::with_users("alice:secret");
    let options = ["--listen", "127.0.0.1:0", "--listen", "[::1]:0", "--listen-tls", "none"];
    let server = Server::start_with(&folder, &options, 2);
    assert!(server.addresses[0].is_ipv4() && server.addresses[1].is_ipv6());
    for address in &server.addresses {
        Client::connect(*address).log_in("alice", "secret");
    }
    let server = Server::start_with(&folder, &["--listen", "", "--listen-tls", "localhost:0"], 1);
    let mut client = Client::connect_tls(server.plain(), &server.certificate()).unwrap();
    client.log_in("alice", "secret");
    let unknown = folder.imapd(
        ["serve", "--listen", "no-such-host.invalid:0", "--listen-tls", "none"],
        "",
    );
    assert_eq!((unknown.code, unknown.out.as_str()), (1, ""));
    let nowhere = folder.imapd(["serve", "--listen", "none", "--listen-tls", "none"], "");
    let why = "imapd: --listen and --listen-tls are both `none`: the server would hear nobody\n";
    assert_eq!(nowhere, ran(2, "", why));
}
