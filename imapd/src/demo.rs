//! The account that a first start makes, and how its reader is told to log in.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use backend_sqlite::{SqliteStore, UserError};
use imap_server::backend_api::{DateTime, Error, Incoming, MailStore as _, MailboxName, NewMessage};
use zeroize::Zeroizing;

use crate::failure::{Failure, with_causes};
use crate::welcome;

const NAME: &str = "demo";

/// An account that was just made.
pub(crate) struct Demo {
    password: Zeroizing<String>,
}

/// Makes the account with its messages; `None` when another process that starts on the folder has just made it.
///
/// # Errors
/// The store cannot be written.
pub(crate) async fn make(store: &SqliteStore, data: &Path) -> Result<Option<Demo>, Failure> {
    let password = password().map_err(|e| Failure::new(format!("this machine gives no random numbers: {e}")))?;
    let account = match store.add_user(NAME, Some(password.as_bytes()), false).await {
        Err(UserError::Exists(_)) => return Ok(None),
        added => added?,
    };
    let failed = |e: Error| Failure::new(format!("the demo account got no messages: {}", with_causes(&e)));
    let inbox = store.mailbox(&account, &MailboxName::inbox()).await.map_err(failed)?;
    let inbox = inbox.ok_or_else(|| failed(Error::not_found("there is no INBOX")))?;
    let now = DateTime::now();
    let messages = welcome::messages(now, &call(data)).into_iter().map(|m| {
        let size = m.octets.len() as u64;
        NewMessage::new(m.flags, now, size, Incoming::Body(m.octets.into()))
    });
    store
        .add(&account, inbox.id, messages.collect())
        .await
        .map_err(failed)?;
    Ok(Some(Demo { password }))
}

/// Eight syllables, which is 50 random bits: easy to read off a screen and to type, too many to guess at the pace at
/// which failed logins are answered.
fn password() -> Result<Zeroizing<String>, getrandom::Error> {
    const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";
    const VOWELS: &[u8; 5] = b"aeiou";
    let mut text = Zeroizing::new(String::new());
    for syllable in 0..8 {
        if syllable > 0 && syllable % 2 == 0 {
            text.push('-');
        }
        // 80 of them; 240 is the largest multiple below 256, and what is above would prefer some.
        let mut random = [u8::MAX];
        while random >= [240] {
            getrandom::fill(&mut random)?;
        }
        let [random] = random.map(usize::from);
        text.extend(CONSONANTS.get(random / 5 % 16).map(|c| char::from(*c)));
        text.extend(VOWELS.get(random % 5).map(|c| char::from(*c)));
    }
    Ok(text)
}

impl Demo {
    /// How to log in, with commands to be copied.
    pub(crate) fn introduction(
        &self,
        data: &Path,
        plain: Option<&SocketAddr>,
        tls: Option<&SocketAddr>,
        cert: &Path,
    ) -> Zeroizing<String> {
        let password = self.password.as_str();
        let cert = quoted(&absolute(cert));
        let imapd = call(data);
        let mut text = Zeroizing::new(format!(
            "\n{} is a new data folder. It has an account with a few messages now:\n\n  \
             user      {NAME}\n  password  {password}\n\nRead them with curl:\n\n",
            absolute(data).display()
        ));
        // Writing to a String cannot fail.
        if let Some(at) = plain.map(reachable) {
            let _ = writeln!(text, "  curl --user {NAME}:{password} 'imap://{at}/INBOX;MAILINDEX=1'");
        }
        if let Some(at) = tls.map(reachable) {
            let _ = write!(
                text,
                "  curl --user {NAME}:{password} --cacert {cert} 'imaps://{at}/INBOX;MAILINDEX=3'\n\nWith mutt:\n\n  \
                 mutt -e 'set imap_pass={password} folder=imaps://{NAME}@{at}' -e \"set certificate_file={cert}\" -f +INBOX\n"
            );
        }
        let _ = write!(
            text,
            "\nWith Thunderbird, or any other client (it will ask you to trust the certificate):\n\n"
        );
        for (at, security) in [(tls, "SSL/TLS"), (plain, "STARTTLS")] {
            if let Some(at) = at.map(reachable) {
                let (ip, port) = (at.ip(), at.port());
                let _ = writeln!(
                    text,
                    "  IMAP server {ip}, port {port}, connection security {security}, normal password"
                );
            }
        }
        let _ = write!(
            text,
            "\nIt sees at once what is delivered:\n\n  printf 'Subject: hello\\n\\nThis is me.\\n' | {imapd} deliver --user {NAME}\n\n\
             The password is not shown again; this sets another:\n\n  {imapd} user passwd {NAME}\n\n",
        );
        text
    }
}

/// How this program is called on this folder, from anywhere.
fn call(data: &Path) -> String {
    let called = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    let found_by_name = called.components().count() == 1;
    let program = std::env::current_exe().ok().filter(|_| !found_by_name);
    let program = program.unwrap_or_else(|| PathBuf::from("imapd"));
    format!("{} --data {}", quoted(&program), quoted(&absolute(data)))
}

/// Commands are copied into other terminals, which are elsewhere.
fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// The address at which this machine reaches a listener.
fn reachable(address: &SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_eight_syllables_and_never_the_same() {
        let (one, two) = (password().unwrap(), password().unwrap());
        assert_ne!(one, two);
        let parts: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(parts, [4, 4, 4, 4]);
    }

    #[test]
    fn a_path_can_be_copied_into_a_shell() {
        assert_eq!(quoted(Path::new("./imapd-data")), "./imapd-data");
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }
}
