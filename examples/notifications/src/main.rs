//! Serves `notifications.db` on port 1145 (any user, password `secret`), and makes a notification of each line typed.

use imap_server::prelude::*;
use notifications::{Notifications, SCHEMA, notify};
use tokio::io::{AsyncBufReadExt, BufReader};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = sqlx::SqlitePool::connect("sqlite:notifications.db?mode=rwc").await?;
    sqlx::query(SCHEMA).execute(&pool).await?;
    let mapped = Mapped::new(Notifications { pool: pool.clone() });
    let hub = mapped.hub();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:1145").await?;
    println!("listening on {}: type a line to notify the user `demo`", listener.local_addr()?);
    let server = tokio::spawn(async move { Server::new(mapped).serve_listener(listener, Tls::None).await });
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        notify(&pool, &hub, "demo", &line, &line).await?;
    }
    Ok(server.await??)
}
