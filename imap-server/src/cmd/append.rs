//! APPEND (RFC 3501 6.3.11): refused as early as can be, its octets streamed to the backend, committed at its line's end.

use backend_api::{Append, AppendOptions, Backend, Ctx, Error, ErrorKind, Session};
use imap_core::{AppendArgs, Event, MailboxArg, Tag};

use super::{need, possible};
use crate::connection::Conn;
use crate::literal::{Failure, Literal};
use crate::reply::{Fail, Reply};
use crate::wire::{End, Wire};

/// Where in the command an error came up, and so what the client still sends of it.
enum Refused {
    /// Before its end: the literal, if the client does not wait to be asked, and the rest of the line.
    Within(Fail),
    /// Nothing.
    AtEnd(Fail),
}

impl From<End> for Refused {
    fn from(end: End) -> Self {
        Self::AtEnd(end.into())
    }
}

pub(crate) async fn run<B: Backend>(
    conn: &mut Conn<B>,
    tag: &Tag,
    mailbox: MailboxArg,
    args: AppendArgs,
) -> Result<Reply, Fail> {
    match transfer(conn, mailbox, args).await {
        Ok(reply) => Ok(reply),
        Err(Refused::Within(fail)) => {
            let answer = conn.answer_to(fail)?;
            conn.wire.core.refuse_literal(tag, &answer);
            Ok(Reply::Answered)
        }
        Err(Refused::AtEnd(fail)) => Err(fail),
    }
}

async fn transfer<B: Backend>(conn: &mut Conn<B>, mailbox: MailboxArg, mut args: AppendArgs) -> Result<Reply, Refused> {
    let Conn {
        session, wire, info, ..
    } = conn;
    let ctx = Ctx::new(info);
    let begun = begin(session, &ctx, mailbox).await;
    let mut append = begun.map_err(Refused::Within)?;
    loop {
        let taken = take(wire, append.as_mut(), args).await;
        taken.map_err(Refused::Within)?;
        args = match wire.next().await? {
            Event::AppendMessage { args, .. } => args,
            Event::AppendEnd { .. } => break,
            // Broken syntax after the literal, answered by the core: nothing is stored.
            _ => return Ok(Reply::Answered),
        };
    }
    let appended = append.commit().await;
    appended
        .map(Reply::Appended)
        .map_err(|e| Refused::AtEnd(Fail::Target(e)))
}

async fn begin<'s, S: Session>(
    session: &'s mut Option<S>,
    ctx: &Ctx<'_>,
    mailbox: MailboxArg,
) -> Result<Box<dyn Append + 's>, Fail> {
    let to = possible(mailbox)?;
    let session = need(session)?;
    session.append(ctx, &to).await.map_err(Fail::Target)
}

/// One message to the backend. Afterwards its literal is used up, whatever the backend read of it.
async fn take(wire: &mut Wire, append: &mut dyn Append, args: AppendArgs) -> Result<(), Fail> {
    wire.core.accept_literal();
    if wire.core.literal_remaining() > wire.core.input().len() as u64 {
        wire.flush().await?;
    }
    let mut literal = Literal::new(&mut wire.core, &mut wire.rx, wire.times.stall, wire.entry.stop.signal());
    let options = AppendOptions::new(args.flags, args.date);
    let taken = append.message(options, args.size, &mut literal).await;
    let finished = literal.finish().await;
    wire.note_input();
    let nul = finished.map_err(|failure| end(wire, failure))?;
    taken?;
    if nul {
        return Err(Error::new(ErrorKind::Bad, "a message cannot hold NUL").into());
    }
    Ok(())
}

fn end(wire: &Wire, failure: Failure) -> End {
    match failure {
        Failure::Closed => End::Closed,
        Failure::Broken(kind) => End::Broken(kind.into()),
        Failure::Stalled => End::Bye("Nothing came of the literal that was announced".into()),
        Failure::Stopped => wire.stopped(),
    }
}
