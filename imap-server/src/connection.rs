//! One connection from its first octet to its last: greeting, commands one after the other, updates, farewell.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use backend_api::{Backend, ConnInfo, Ctx, Error, ErrorKind, Mailbox, Rights, Session, Updates, Welcome};
use imap_core::{Answer, Code, Command, Connection, Event, Greeting, State, Tag};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::rustls::ServerConfig;
use tracing::Instrument;

use crate::config::PollPolicy;
use crate::io::Duplex;
use crate::log;
use crate::registry::{Place, next_id};
use crate::reply::{Fail, Reply};
use crate::server::Shared;
use crate::sink::Out;
use crate::tls::{self, Tls};
use crate::wire::{End, Wire, race};
use crate::{auth, cmd};

/// What is selected on a connection of this backend.
pub(crate) type MailboxOf<B> = <<B as Backend>::Session as Session>::Mailbox;

/// A connection as the commands see it.
pub(crate) struct Conn<B: Backend> {
    pub(crate) server: Arc<Shared<B>>,
    pub(crate) wire: Wire,
    pub(crate) info: ConnInfo,
    pub(crate) place: Place,
    /// What STARTTLS needs, where it is offered.
    pub(crate) starttls: Option<Arc<ServerConfig>>,
    // The mailbox stands before the session, so that it is dropped first.
    pub(crate) mailbox: Option<MailboxOf<B>>,
    pub(crate) session: Option<B::Session>,
    pub(crate) failed_logins: u32,
    /// STORE commands to come of which the mailbox knows already.
    pub(crate) stores_ahead: usize,
    /// The running command is answered, then `* BYE` with this text.
    pub(crate) bye: Option<String>,
    /// Since when EXPUNGE or EXISTS has been held back by commands that wait, and not been told.
    held_since: Option<Instant>,
    errors: u32,
}

/// Serves a connection to its end.
pub(crate) async fn serve<B: Backend>(server: Arc<Shared<B>>, stream: Box<dyn Duplex>, mut info: ConnInfo, tls: Tls) {
    info.id = next_id();
    let start = Instant::now();
    info.tls |= matches!(tls, Tls::Implicit(_));
    let span = log::connection(&info);
    let kill = server.registry.kill.clone();
    let served = async {
        tokio::select! {
            biased;
            () = kill.cancelled() => tracing::info!("cut off"),
            () = enter(server, stream, info, tls, start) => {}
        }
    };
    served.instrument(span).await;
}

async fn enter<B: Backend>(server: Arc<Shared<B>>, stream: Box<dyn Duplex>, info: ConnInfo, tls: Tls, start: Instant) {
    let place = match server.registry.enter(&info, &server.config.caps) {
        Ok(place) => place,
        Err(text) => {
            let core = Connection::new(server.core(false).clone(), info.tls, false);
            return turn_away(stream, core, &info, &text).await;
        }
    };
    let stream = match &tls {
        Tls::Implicit(config) => {
            let deadline = start + server.config.times.login;
            match tls::handshake(config, stream, deadline, &place.entry.stop).await {
                Ok(stream) => stream,
                Err(error) => return tracing::debug!(%error, "TLS handshake failed"),
            }
        }
        Tls::None | Tls::StartTls(_) => stream,
    };
    let starttls = tls.for_starttls().filter(|_| !info.tls).cloned();
    let mut core = Connection::new(server.core(starttls.is_some()).clone(), info.tls, is_loopback(&info));
    core.set_abilities(server.backend.abilities());
    let wire = Wire::new(core, stream, place.entry.clone(), &server.config.times, start);
    let mut conn = Box::new(Conn {
        server,
        wire,
        info,
        place,
        starttls,
        mailbox: None,
        session: None,
        failed_logins: 0,
        stores_ahead: 0,
        bye: None,
        held_since: None,
        errors: 0,
    });
    let end = match catch_panic(Box::pin(conn.run())).await {
        Ok(end) => end,
        Err(text) => {
            tracing::error!(
                backend = std::any::type_name::<B>(),
                panic = text,
                "the backend panicked"
            );
            End::Bye("Internal error".into())
        }
    };
    conn.leave(end, start).await;
}

/// Passwords may cross the loopback interface unencrypted: whoever can listen there can do so anyway.
fn is_loopback(info: &ConnInfo) -> bool {
    let (Some(peer), Some(local)) = (info.peer, info.local) else {
        return false;
    };
    peer.ip().to_canonical().is_loopback() && local.ip().to_canonical().is_loopback()
}

/// Says why there is no place, if that can be said at once and unencrypted.
async fn turn_away(mut stream: Box<dyn Duplex>, mut core: Connection, info: &ConnInfo, text: &str) {
    use tokio::io::AsyncWriteExt;
    tracing::info!(text, "turned away");
    if info.tls {
        return;
    }
    core.greeting(Greeting::Bye(text));
    let _ = timeout(Duration::from_secs(1), async {
        stream.write_all(core.output()).await?;
        stream.shutdown().await
    })
    .await;
}

impl<B: Backend> Conn<B> {
    async fn run(&mut self) -> End {
        let Err(end) = self.greet_and_serve().await;
        end
    }

    async fn greet_and_serve(&mut self) -> Result<std::convert::Infallible, End> {
        Box::pin(self.greet()).await?;
        loop {
            match self.wire.next().await? {
                Event::Command { tag, command } => self.command(tag, command).await?,
                Event::AppendMessage { tag, mailbox, args, .. } => {
                    let started = self.begin_command("APPEND").await?;
                    let span = started.span.clone();
                    let result = Box::pin(cmd::append::run(self, &tag, mailbox, args))
                        .instrument(span)
                        .await;
                    let poll = self.polls_always();
                    self.finish(&tag, poll, result, started).await?;
                }
                Event::Refused { reason, .. } => tracing::debug!(reason, "refused"),
                // Those of a command under way come to whoever runs it.
                _ => {}
            }
        }
    }

    async fn greet(&mut self) -> Result<(), End> {
        let Self { server, wire, info, .. } = self;
        let deadline = wire.deadline();
        let welcome = wire.race(timeout_at(deadline, server.backend.connect(info))).await?;
        match welcome {
            Ok(Ok(Welcome::Greet)) => self.wire.core.greeting(Greeting::Ok(READY)),
            Ok(Ok(Welcome::PreAuth(session))) => {
                if !self.place.log_in(session.user(), &self.server.config.caps) {
                    return Err(End::Bye(auth::TOO_MANY.into()));
                }
                auth::take_limits(&mut self.wire.core, &session);
                self.session = Some(session);
                self.wire.logged_in();
                self.wire.core.greeting(Greeting::PreAuth(READY));
            }
            Ok(Ok(Welcome::TurnAway(text))) => return Err(End::Bye(text)),
            Ok(Ok(_)) => return Err(End::Bye("Not now".into())),
            Ok(Err(error)) => {
                let answer = self.answer(&error);
                return Err(End::Bye(answer.text.into_owned()));
            }
            Err(_) => return Err(End::Bye("The server is too busy".into())),
        }
        Ok(())
    }

    async fn command(&mut self, tag: Tag, command: Command) -> Result<(), End> {
        let started = self.begin_command(command.name()).await?;
        let poll = self.polls_always() || must_poll(&command);
        let span = started.span.clone();
        let result = Box::pin(cmd::run(self, &tag, command)).instrument(span).await;
        self.finish(&tag, poll, result, started).await
    }

    pub(crate) fn polls_always(&self) -> bool {
        self.server.config.poll == PollPolicy::AfterEveryCommand
    }

    async fn begin_command(&mut self, name: &'static str) -> Result<log::Started, End> {
        let started = log::Started::new(name, &self.place, &self.wire);
        self.wire.flush_if_old(started.at).await?;
        Ok(started)
    }

    /// Updates, then the tagged answer.
    async fn finish(
        &mut self,
        tag: &Tag,
        poll: bool,
        result: Result<Reply, Fail>,
        started: log::Started,
    ) -> Result<(), End> {
        let reply = match result {
            Ok(reply) => reply,
            Err(fail) => Reply::Answer(self.answer_to(fail)?),
        };
        if poll && reply.allows_updates() {
            let rights = self.rights_at_end(started.at);
            self.poll(rights).await?;
        }
        started.ended(&reply, &mut self.wire);
        reply.complete(tag, &mut self.wire.core);
        match self.bye.take() {
            Some(text) => Err(End::Bye(text)),
            None => Ok(()),
        }
    }

    /// What may be told now. Pipelining without end does not hold back for longer than [`HOLD_BACK`].
    fn rights_at_end(&mut self, now: Instant) -> Rights {
        let Wire { core, rx, .. } = &mut self.wire;
        rx.take_ahead(core);
        if self
            .held_since
            .is_some_and(|since| now.duration_since(since) >= HOLD_BACK)
        {
            core.end_hold_back();
        }
        let rights = core.rights_at_end();
        if rights == Rights::ALL {
            self.held_since = None;
        } else if core.is_holding_back() {
            self.held_since.get_or_insert(now);
        }
        rights
    }

    /// Lets the selected mailbox tell what changed.
    ///
    /// # Errors
    /// Those that end the connection. That a mailbox is gone does so after the running command.
    pub(crate) async fn poll(&mut self, rights: Rights) -> Result<bool, End> {
        let Some(mailbox) = self.mailbox.as_mut().filter(|_| !rights.is_none()) else {
            return Ok(true);
        };
        let ctx = Ctx::new(&self.info);
        let wire = &mut self.wire;
        let mut out = Out::new(&mut wire.core, &mut wire.tx);
        let mut updates = Updates::new(&mut out, rights);
        // Cut off in the middle, it leaves a view that nobody uses any more.
        let work = mailbox.poll(&ctx, &mut updates);
        let polled = race(work, &mut wire.rx, &wire.entry, wire.times.backend).await?;
        self.wire.check()?;
        let Err(error) = polled else {
            return Ok(true);
        };
        match error.kind() {
            ErrorKind::MailboxGone | ErrorKind::Bye => {
                self.bye.get_or_insert_with(|| error.text().to_owned());
            }
            _ => {
                self.answer(&error);
            }
        }
        Ok(false)
    }

    /// Whether the selected mailbox was deleted, by whomever.
    pub(crate) async fn mailbox_is_gone(&mut self) -> Result<bool, End> {
        let Some(mailbox) = &mut self.mailbox else {
            return Ok(false);
        };
        let ctx = Ctx::new(&self.info);
        let wire = &mut self.wire;
        let mut out = Out::new(&mut wire.core, &mut wire.tx);
        let mut nothing = Updates::new(&mut out, Rights::NONE);
        let work = mailbox.poll(&ctx, &mut nothing);
        let polled = race(work, &mut wire.rx, &wire.entry, wire.times.backend).await?;
        self.wire.check()?;
        Ok(polled.is_err_and(|e| e.kind() == ErrorKind::MailboxGone))
    }

    /// The answer to a command that failed, or the end of the connection.
    pub(crate) fn answer_to(&mut self, fail: Fail) -> Result<Answer<'static>, End> {
        match fail {
            Fail::No(error) => Ok(self.answer(&error)),
            Fail::Target(error) => {
                let id = self.note(&error);
                Ok(Answer::from_target_error(&error, &id))
            }
            Fail::End(end) => Err(end),
        }
    }

    /// What a client is told of an error; an internal one is logged, and told by the number it was logged under.
    pub(crate) fn answer(&mut self, error: &Error) -> Answer<'static> {
        let id = self.note(error);
        Answer::from_error(error, &id)
    }

    fn note(&mut self, error: &Error) -> String {
        match error.kind() {
            ErrorKind::Internal => {
                self.errors += 1;
                let id = format!("{:x}-{}", self.info.id, self.errors);
                log::internal(error, &id);
                id
            }
            ErrorKind::Bye | ErrorKind::MailboxGone => {
                self.bye.get_or_insert_with(|| error.text().to_owned());
                String::new()
            }
            _ => {
                log::expected(error);
                String::new()
            }
        }
    }

    /// Nothing is selected any more.
    pub(crate) fn close_mailbox(&mut self) {
        self.mailbox = None;
        self.place.set_mailbox(None);
        self.wire.core.set_unselected();
    }

    /// Whether the selected mailbox is open for reading only.
    pub(crate) fn is_read_only(&self) -> bool {
        matches!(self.wire.core.state(), State::Selected { read_only: true })
    }

    /// Says farewell as far as that can be done, and lets go of everything.
    async fn leave(mut self, end: End, start: Instant) {
        self.mailbox = None;
        self.session = None;
        let say = match &end {
            End::Bye(text) => Some((None, text.as_str())),
            End::Misuse(what) => {
                tracing::error!(
                    backend = std::any::type_name::<B>(),
                    what,
                    "the backend broke the rules of a sink"
                );
                Some((Some(Code::ServerBug), "The mailbox backend made an error, sorry"))
            }
            End::Broken(_) | End::Closed | End::Said(_) | End::Torn => None,
        };
        if let Some((code, text)) = say {
            self.wire.core.bye(text, code);
        }
        self.wire.close(&end).await;
        log::left(&end, start, &self.wire, self.place.user().as_deref());
    }
}

/// Whether a command's own outcome is told by a poll, or asks for one.
fn must_poll(command: &Command) -> bool {
    matches!(
        command,
        Command::Noop | Command::Check | Command::Idle | Command::Expunge(_) | Command::Move { .. }
    )
}

/// The outcome, or the text of a panic.
async fn catch_panic<F: Future + Unpin>(mut future: F) -> Result<F::Output, String> {
    std::future::poll_fn(|cx| {
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| std::pin::Pin::new(&mut future).poll(cx)));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(done)) => Poll::Ready(Ok(done)),
            Err(panic) => Poll::Ready(Err(log::panic_text(&*panic))),
        }
    })
    .await
}

/// The text of the greeting.
const READY: &str = "Ready";
/// For how long commands that wait can hold back EXPUNGE and EXISTS.
const HOLD_BACK: Duration = Duration::from_secs(5);
