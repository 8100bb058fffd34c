//! A client reads the records, and the implementation stays as short as promised.
// A test fails by panicking.
#![allow(clippy::unwrap_used)]

use imap_server::prelude::*;
use records::{Order, Shop};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn conversation(sent: &str) -> String {
    let order = |id, customer, text: &str| Order {
        id,
        customer,
        text: text.to_owned(),
    };
    let shop = Shop {
        customers: vec!["Ada".to_owned()],
        orders: vec![order(1, 1, "One engine"), order(3, 2, "A compiler")],
    };
    let (mut client, stream) = tokio::io::duplex(64 * 1024);
    let server = Server::builder(Mapped::new(shop)).insecure_auth(true).build();
    let served = tokio::spawn(async move { server.serve(stream, ConnInfo::default()).await });
    client.write_all(sent.as_bytes()).await.unwrap();
    client.shutdown().await.unwrap();
    let mut heard = String::new();
    client.read_to_string(&mut heard).await.unwrap();
    served.await.unwrap();
    heard
}

#[tokio::test]
async fn an_order_is_a_message_in_its_customers_folder() {
    let heard =
        conversation("a LOGIN shop secret\r\nb EXAMINE Orders/Ada\r\nc FETCH 1:* (UID BODY[TEXT])\r\nd LOGOUT\r\n")
            .await;
    let can = "SASL-IR ID ENABLE IDLE LITERAL+ NAMESPACE UNSELECT CHILDREN SPECIAL-USE";
    let mut lines = heard.split("\r\n");
    assert_eq!(
        lines.next().unwrap(),
        format!("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN {can}] Ready"),
        "nothing is promised that these four methods cannot do"
    );
    assert_eq!(
        lines.next().unwrap(),
        format!("a OK [CAPABILITY IMAP4rev1 {can}] Logged in")
    );
    let after_select = heard
        .split_once("b OK [READ-ONLY] ")
        .unwrap()
        .1
        .split_once("\r\n")
        .unwrap()
        .1;
    assert_eq!(
        after_select,
        "* 1 FETCH (UID 1 BODY[TEXT] {12}\r\nOne engine\r\n)\r\nc OK FETCH completed\r\n* BYE Logging out\r\n\
         d OK LOGOUT completed\r\n"
    );
}

#[test]
fn the_implementation_has_at_most_forty_lines() {
    let source = include_str!("../src/lib.rs");
    let lines = source
        .lines()
        .skip_while(|line| !line.starts_with("#[async_trait]"))
        .filter(|line| !line.is_empty());
    assert!(lines.count() <= 40);
}
