//! A new row reaches a client that waits, and the implementation stays as short as promised.

use imap_server::prelude::*;
use notifications::{Notifications, SCHEMA, notify};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

#[tokio::test]
async fn a_new_row_appears_in_a_connected_client_at_once() {
    let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
    sqlx::query(SCHEMA).execute(&pool).await.unwrap();
    let mapped = Mapped::new(Notifications { pool: pool.clone() });
    let hub = mapped.hub();
    notify(&pool, &hub, "ada", "first", "one").await.unwrap();

    let (client, stream) = tokio::io::duplex(64 * 1024);
    let server = Server::builder(mapped).insecure_auth(true).build();
    tokio::spawn(async move { server.serve(stream, ConnInfo::default()).await });
    let (read, mut write) = tokio::io::split(client);
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"a LOGIN ada secret\r\nb EXAMINE INBOX\r\nc IDLE\r\n").await.unwrap();
    while !lines.next_line().await.unwrap().unwrap().starts_with('+') {}

    notify(&pool, &hub, "grace", "not for Ada", "no").await.unwrap();
    notify(&pool, &hub, "ada", "second", "two").await.unwrap();
    assert_eq!(lines.next_line().await.unwrap().unwrap(), "* 2 EXISTS");

    write.write_all(b"DONE\r\nd FETCH 2 BODY.PEEK[HEADER.FIELDS (SUBJECT)]\r\n").await.unwrap();
    while !lines.next_line().await.unwrap().unwrap().starts_with("c OK") {}
    lines.next_line().await.unwrap();
    assert_eq!(lines.next_line().await.unwrap().unwrap(), "Subject: second");
}

#[test]
fn the_implementation_has_at_most_forty_lines() {
    let source = include_str!("../src/lib.rs");
    let from = source.lines().skip_while(|line| !line.starts_with("#[async_trait]"));
    let lines = from.take_while(|line| !line.starts_with("/// What the application does"));
    assert!(lines.filter(|line| !line.is_empty()).count() <= 40);
}
