//! Which capabilities are advertised: derived from what the connection can do at this moment.

use std::collections::BTreeSet;

use crate::{Limits, State};

/// What the owner of a server sets. Capabilities can only be taken away by it.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The limits.
    pub limits: Limits,
    /// Whether STARTTLS can be served.
    pub starttls: bool,
    /// Passwords may be sent without TLS over any network, not over the loopback interface alone.
    pub insecure_auth: bool,
    /// Names in upper case that are not advertised, such as `IDLE` or `AUTH=LOGIN`.
    pub disabled: BTreeSet<String>,
}

/// The same before and after login: a client that keeps the list it saw first must not stay dumb.
const ALWAYS: [&str; 12] = [
    "SASL-IR",
    "ID",
    "ENABLE",
    "IDLE",
    "LITERAL+",
    "NAMESPACE",
    "UNSELECT",
    "UIDPLUS",
    "MOVE",
    "CHILDREN",
    "SPECIAL-USE",
    "CREATE-SPECIAL-USE",
];

/// SASL mechanisms that send a password as it is.
pub(crate) const PLAINTEXT_MECHANISMS: [&str; 2] = ["PLAIN", "LOGIN"];

/// What the capabilities are derived from.
pub(crate) struct Facts<'a> {
    pub(crate) config: &'a Config,
    pub(crate) state: State,
    pub(crate) tls: bool,
    /// Both ends of the connection are on this machine.
    pub(crate) loopback: bool,
    pub(crate) append_limit: u64,
}

impl Facts<'_> {
    /// Whether a password may be sent as it is (R3501-109, R3501-118, R3501-350).
    pub(crate) fn plaintext_login(&self) -> bool {
        self.tls || self.loopback || self.config.insecure_auth
    }

    pub(crate) fn starttls(&self) -> bool {
        self.config.starttls && !self.tls && self.state == State::NotAuthenticated
    }

    /// Whether AUTHENTICATE of this mechanism can be served.
    pub(crate) fn mechanism(&self, name: &str) -> bool {
        PLAINTEXT_MECHANISMS.contains(&name) && !self.config.disabled.contains(&format!("AUTH={name}"))
    }

    /// The list, without the word CAPABILITY.
    pub(crate) fn list(&self) -> String {
        let mut list = String::from("IMAP4rev1");
        let mut add = |name: &str| {
            if !self.config.disabled.contains(name) {
                list.push(' ');
                list.push_str(name);
            }
        };
        if self.starttls() {
            add("STARTTLS");
        }
        if self.state == State::NotAuthenticated {
            if self.plaintext_login() {
                PLAINTEXT_MECHANISMS.iter().for_each(|m| add(&format!("AUTH={m}")));
            } else {
                add("LOGINDISABLED");
            }
        }
        ALWAYS.iter().for_each(|name| add(name));
        if !self.config.disabled.contains("APPENDLIMIT") {
            add(&format!("APPENDLIMIT={}", self.append_limit));
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: &str = "SASL-IR ID ENABLE IDLE LITERAL+ NAMESPACE UNSELECT UIDPLUS MOVE CHILDREN SPECIAL-USE \
                        CREATE-SPECIAL-USE APPENDLIMIT=1073741824";

    fn list(config: &Config, state: State, tls: bool, loopback: bool) -> String {
        let append_limit = config.limits.message;
        Facts {
            config,
            state,
            tls,
            loopback,
            append_limit,
        }
        .list()
    }

    /// R3501-089, R3501-090, R3501-111, R3501-118
    #[test]
    fn the_list_follows_from_what_the_connection_can_do() {
        let with_tls = Config {
            starttls: true,
            ..Config::default()
        };
        let insecure = Config {
            insecure_auth: true,
            ..Config::default()
        };
        let plain = Config::default();
        let na = State::NotAuthenticated;
        let selected = State::Selected { read_only: false };
        let table = [
            (&with_tls, na, false, false, "IMAP4rev1 STARTTLS LOGINDISABLED "),
            (&with_tls, na, false, true, "IMAP4rev1 STARTTLS AUTH=PLAIN AUTH=LOGIN "),
            (&with_tls, na, true, false, "IMAP4rev1 AUTH=PLAIN AUTH=LOGIN "),
            (&plain, na, false, false, "IMAP4rev1 LOGINDISABLED "),
            (&insecure, na, false, false, "IMAP4rev1 AUTH=PLAIN AUTH=LOGIN "),
            (&with_tls, State::Authenticated, false, true, "IMAP4rev1 "),
            (&with_tls, selected, true, false, "IMAP4rev1 "),
        ];
        for (config, state, tls, loopback, start) in table {
            assert_eq!(list(config, state, tls, loopback), format!("{start}{REST}"));
        }
    }

    #[test]
    fn configuration_only_takes_away() {
        let config = Config {
            disabled: ["IDLE", "AUTH=LOGIN", "APPENDLIMIT", "X-NEW"].map(String::from).into(),
            ..Config::default()
        };
        assert_eq!(
            list(&config, State::NotAuthenticated, true, false),
            "IMAP4rev1 AUTH=PLAIN SASL-IR ID ENABLE LITERAL+ NAMESPACE UNSELECT UIDPLUS MOVE CHILDREN SPECIAL-USE \
             CREATE-SPECIAL-USE"
        );
    }
}
