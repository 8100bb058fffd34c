//! The verb `deliver`: one message from standard input, and the exit code that says what became of it.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::time::Duration;

use backend_sqlite::{DeliverError, Delivery};
use imap_server::backend_api::MailboxName;

use crate::cli::{Common, DeliverArgs};
use crate::failure::{Failure, with_causes};
use crate::message::Message;
use crate::{config, folder, log, sysexits};

/// Delivers the message.
///
/// # Errors
/// Nothing was delivered; the code is of `sysexits.h`.
pub(crate) fn run(common: Common, args: DeliverArgs) -> Result<(), Failure> {
    log::start(common.log_format.unwrap_or_default(), log::BRIEF);
    let data = common.data.unwrap_or_else(|| config::DATA.into());
    let delivery = delivery(&args)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::with_code(sysexits::TEMPFAIL, format!("threads cannot be started: {e}")))?;
    let done = runtime.block_on(async {
        let source = tokio::fs::File::from_std(stdin()?);
        let message = Message::open(source).await.map_err(|e| unreadable(&e.to_string()))?;
        let Some(mut message) = message else {
            return Err(Failure::with_code(
                sysexits::NOINPUT,
                "standard input is empty: a message is expected there",
            ));
        };
        let store = folder::open_existing(&data).map_err(|e| {
            let code = if e.lasting {
                sysexits::CONFIG
            } else {
                sysexits::TEMPFAIL
            };
            Failure::from(e).code(code)
        })?;
        store.deliver(delivery, &mut message).await.map_err(|e| failure(&e))
    });
    // A read of standard input that is under way would be waited for.
    runtime.shutdown_timeout(Duration::ZERO);
    done.map(drop)
}

fn delivery(args: &DeliverArgs) -> Result<Delivery, Failure> {
    let wrong = |text: String| Failure::with_code(sysexits::USAGE, text);
    let mailbox = MailboxName::new(&args.mailbox);
    let mailbox = mailbox.map_err(|e| wrong(format!("--mailbox {:?}: {e}", args.mailbox)))?;
    let from = args
        .from
        .strip_prefix('<')
        .and_then(|f| f.strip_suffix('>'))
        .unwrap_or(&args.from);
    if from.chars().any(|c| c.is_control() || matches!(c, '<' | '>')) {
        return Err(wrong(format!(
            "--from {:?}: an address cannot hold control characters or brackets",
            args.from
        )));
    }
    if args.user.chars().any(char::is_control) {
        return Err(wrong(format!(
            "--user {:?}: a user name cannot hold control characters",
            args.user
        )));
    }
    let mut delivery = Delivery::new(&args.user);
    delivery.mailbox = mailbox;
    delivery.create = args.create;
    delivery.prefix = format!("Return-Path: <{from}>\r\nDelivered-To: {}\r\n", args.user).into_bytes();
    Ok(delivery)
}

/// Not `tokio::io::stdin`: that reads ahead on a thread that would keep the process from ending.
fn stdin() -> Result<File, Failure> {
    let stdin = std::io::stdin().as_fd().try_clone_to_owned();
    stdin.map(File::from).map_err(|e| unreadable(&e.to_string()))
}

fn unreadable(why: &str) -> Failure {
    Failure::with_code(
        sysexits::IOERR,
        format!("standard input could not be read: {why}; nothing was delivered"),
    )
}

fn failure(error: &DeliverError) -> Failure {
    let text = with_causes(error);
    let (code, text) = match error {
        DeliverError::NoUser(_) => (sysexits::NOUSER, text),
        DeliverError::NoMailbox(_) => (sysexits::CANTCREAT, format!("{text}; --create makes it")),
        DeliverError::TooBig(_) => (sysexits::DATAERR, text),
        DeliverError::Input(e) => return unreadable(&with_causes(e)),
        // What is not understood is not to bounce either.
        _ => (
            sysexits::TEMPFAIL,
            format!("{text}; nothing was delivered, try again later"),
        ),
    };
    Failure::with_code(code, text)
}
