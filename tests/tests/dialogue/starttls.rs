//! STARTTLS (RFC 3501 6.2.1) and TLS from the first octet on.

use imap_compliance::stream::BoxedStream;
use imap_compliance::world::Certificate;
use imap_compliance::{Client, World};
use imap_server::Tls;

imap_compliance::claims! {
    every: [
        starttls_makes_passwords_possible,
        what_came_before_the_handshake_is_forgotten,
        starttls_is_refused_where_it_is_not_offered,
        implicit_tls_begins_with_the_greeting,
    ],
}

/// R3501-099, R3501-100, R3501-102, R3501-041, R3501-347
async fn starttls_makes_passwords_possible(world: World) {
    let certificate = Certificate::new();
    let mut c = world.connect_from_afar(Tls::StartTls(certificate.server()));
    c.talks(
        "S: * OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED <list>] <text>
         C: a LOGIN demo secret
         S: a NO [PRIVACYREQUIRED] <text>
         C: b STARTTLS
         S: b OK <text>",
    )
    .await;
    let mut c = Client::new(certificate.handshake(c.into_stream()).await);
    c.talks(
        "C: c CAPABILITY
         S: * CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN SASL-IR <list>
         S: c OK <text>
         C: d LIST \"\" *
         S: d BAD <text>
         C: e STARTTLS
         S: e BAD <text>
         C: f LOGIN demo secret
         S: f OK [CAPABILITY <list>] <text>",
    )
    .await;
}

/// R3501-101
async fn what_came_before_the_handshake_is_forgotten(world: World) {
    let certificate = Certificate::new();
    let mut c = world.connect_from_afar(Tls::StartTls(certificate.server()));
    c.hears("* OK [CAPABILITY <list>] <text>").await;
    c.sends(b"a STARTTLS\r\nb NOOP\r\nc LOG").await;
    c.hears("a OK <text>").await;
    let mut c = Client::new(certificate.handshake(c.into_stream()).await);
    c.talks("C: OUT NOOP\n S: OUT OK <text>").await;
}

async fn starttls_is_refused_where_it_is_not_offered(world: World) {
    let mut c = world.connect();
    c.talks(
        "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN <list>] <text>
         C: a STARTTLS
         S: a BAD <text>
         C: b NOOP
         S: b OK <text>",
    )
    .await;
}

async fn implicit_tls_begins_with_the_greeting(world: World) {
    let certificate = Certificate::new();
    let stream = world.stream(imap_compliance::world::loopback(), Tls::Implicit(certificate.server()));
    let stream = certificate.handshake(Box::new(stream) as BoxedStream).await;
    let mut c = Client::new(stream);
    c.talks(
        "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN <list>] <text>
         C: a STARTTLS
         S: a BAD <text>
         C: b LOGIN demo secret
         S: b OK [CAPABILITY <list>] <text>",
    )
    .await;
}
