//! An application's own table of notifications, reached through `sqlx`, served as messages: a new row appears in a
//! connected mail client at once.

use imap_server::prelude::*;
use sqlx::{Row, SqlitePool};

/// The application's table.
pub const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS notifications (
    id INTEGER PRIMARY KEY AUTOINCREMENT, user TEXT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL,
    created INTEGER NOT NULL DEFAULT (unixepoch()))";

/// The application's notifications.
pub struct Notifications {
    /// Its database.
    pub pool: SqlitePool,
}

#[async_trait]
impl MailStore for Notifications {
    async fn login(&self, who: Credentials<'_>) -> Result<Account> {
        if who.is(who.user(), "secret") { Ok(Account::new(who.user())) } else { Err(Error::authentication_failed()) }
    }

    async fn mailboxes(&self, _: &Account) -> Result<Vec<MailboxEntry>> {
        Ok(vec![MailboxEntry::new(1, "INBOX")])
    }

    async fn messages(&self, account: &Account, _: MailboxId) -> Result<Messages> {
        let rows = sqlx::query("SELECT id, created FROM notifications WHERE user = ? ORDER BY id").bind(account.name());
        let rows = rows.fetch_all(&self.pool).await.map_err(Error::internal)?;
        let entry = |row: &sqlx::sqlite::SqliteRow| {
            Some(MessageEntry::new(Uid::new(row.get("id"))?).with_date(DateTime::new(row.get("created"), 0)))
        };
        Ok(rows.iter().filter_map(entry).collect::<Vec<_>>().into())
    }

    async fn body(&self, account: &Account, _: MailboxId, uid: Uid) -> Result<MessageBody> {
        let row = sqlx::query("SELECT title, body FROM notifications WHERE user = ? AND id = ?");
        let row = row.bind(account.name()).bind(uid.get()).fetch_optional(&self.pool).await.map_err(Error::internal)?;
        let row = row.ok_or_else(|| Error::not_found("no such notification"))?;
        let (title, body): (String, String) = (row.get("title"), row.get("body"));
        let head = "From: app@example.com\r\nContent-Type: text/plain; charset=utf-8\r\n";
        Ok(format!("{head}Subject: {}\r\n\r\n{body}\r\n", title.replace(['\r', '\n'], " ")).into())
    }
}

/// What the application does anyway, and one line more: it says that something changed.
pub async fn notify(pool: &SqlitePool, hub: &Hub, user: &str, title: &str, body: &str) -> sqlx::Result<()> {
    let insert = sqlx::query("INSERT INTO notifications (user, title, body) VALUES (?, ?, ?)");
    insert.bind(user).bind(title).bind(body).execute(pool).await?;
    hub.changed(&Account::new(user), 1);
    Ok(())
}
