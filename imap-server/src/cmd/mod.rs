//! The commands, a file each: which runs for what, and what they share.

use backend_api::{Backend, Error, ErrorKind, MailboxName, NumSet};
use imap_core::{Command, MailboxArg, RawSet, Tag, resolve_seq, resolve_uid};

use crate::connection::{Conn, MailboxOf};
use crate::reply::{Fail, Reply};

pub(crate) mod append;
mod authenticate;
mod capability;
mod check;
mod close;
mod copy;
mod create;
mod delete;
mod enable;
mod expunge;
mod fetch;
mod id;
mod idle;
mod list;
mod login;
mod logout;
mod r#move;
mod namespace;
mod noop;
mod rename;
mod search;
mod select;
mod starttls;
mod status;
mod store;
mod subscribe;
mod unselect;

/// Runs a command to its answer.
///
/// # Errors
/// See [`Fail`].
pub(crate) async fn run<B: Backend>(conn: &mut Conn<B>, tag: &Tag, command: Command) -> Result<Reply, Fail> {
    if conn.polls_always() {
        let rights = conn.wire.core.rights_at_start();
        conn.poll(rights).await?;
    }
    match command {
        Command::Capability => capability::run(conn),
        Command::Noop => noop::run(),
        Command::Logout => logout::run(conn, tag),
        Command::Id(fields) => id::run(conn, &fields),
        Command::StartTls => Box::pin(starttls::run(conn, tag)).await,
        Command::Authenticate { mechanism, initial } => Box::pin(authenticate::run(conn, &mechanism, initial)).await,
        Command::Login { user, password } => Box::pin(login::run(conn, &user, &password)).await,
        Command::Enable(names) => enable::run(conn, &names),
        Command::Select { mailbox, access } => Box::pin(select::run(conn, mailbox, access)).await,
        Command::Create { mailbox, special_use } => create::run(conn, mailbox, &special_use).await,
        Command::Delete(mailbox) => delete::run(conn, mailbox).await,
        Command::Rename { from, to } => rename::run(conn, from, to).await,
        Command::Subscribe(mailbox) => subscribe::run(conn, mailbox, true).await,
        Command::Unsubscribe(mailbox) => subscribe::run(conn, mailbox, false).await,
        Command::List { names, lsub, options } => Box::pin(list::run(conn, names, lsub, options)).await,
        Command::Namespace => namespace::run(conn),
        Command::Status {
            mailbox,
            items,
            append_limit,
        } => Box::pin(status::run(conn, mailbox, items, append_limit)).await,
        Command::Check => check::run(),
        Command::Close => Box::pin(close::run(conn)).await,
        Command::Unselect => unselect::run(conn),
        Command::Expunge(uids) => expunge::run(conn, uids).await,
        Command::Search { uid, key } => Box::pin(search::run(conn, uid, key)).await,
        Command::Fetch { uid, set, items } => Box::pin(fetch::run(conn, uid, &set, items)).await,
        Command::Store {
            uid,
            set,
            change,
            silent,
        } => Box::pin(store::run(conn, uid, &set, &change, silent)).await,
        Command::Copy { uid, set, mailbox } => copy::run(conn, uid, &set, mailbox).await,
        Command::Move { uid, set, mailbox } => r#move::run(conn, uid, &set, mailbox).await,
        Command::Idle => Box::pin(idle::run(conn)).await,
        _ => Err(Error::unsupported("this command is not implemented").into()),
    }
}

/// What the state of the connection promises to be there.
fn need<T>(part: &mut Option<T>) -> Result<&mut T, Error> {
    part.as_mut()
        .ok_or_else(|| Error::internal("a command ran in a state in which it is not legal"))
}

/// The mailbox of this name; what is no possible name is no mailbox.
fn existing(mailbox: MailboxArg) -> Result<MailboxName, Error> {
    mailbox.map_err(Error::not_found)
}

/// The mailbox to be made; what is no possible name can never be made.
fn possible(mailbox: MailboxArg) -> Result<MailboxName, Error> {
    mailbox.map_err(|why| Error::new(ErrorKind::Cannot, why))
}

/// The messages that a set means in this connection's view, or the text of the BAD.
fn resolve<B: Backend>(conn: &mut Conn<B>, uid: bool, set: &RawSet) -> Result<NumSet, &'static str> {
    if uid {
        return Ok(NumSet::Uid(resolve_uid(set, last_uid(conn))));
    }
    resolve_seq(set, conn.wire.core.exists()).map(NumSet::Seq)
}

fn last_uid<B: Backend>(conn: &Conn<B>) -> Option<backend_api::Uid> {
    let mailbox: Option<&MailboxOf<B>> = conn.mailbox.as_ref();
    mailbox.and_then(backend_api::Mailbox::last_uid)
}

/// Refuses what would change a mailbox that is open for reading only.
fn writable<B: Backend>(conn: &Conn<B>) -> Result<(), Error> {
    if conn.is_read_only() {
        return Err(Error::new(ErrorKind::ReadOnly, "the mailbox is open for reading only"));
    }
    Ok(())
}
