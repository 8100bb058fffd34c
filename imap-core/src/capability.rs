//! Which capabilities are advertised: derived from what the connection can do at this moment.

use std::collections::BTreeSet;

use backend_api::Abilities;

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

/// Whether a session that can do these can do what a capability names.
type Needs = fn(Abilities) -> bool;

/// The same before and after login as far as the session can do the same: a client that keeps the list it saw first must
/// not stay dumb.
const EXTENSIONS: [(&str, Needs); 12] = [
    ("SASL-IR", |_| true),
    ("ID", |_| true),
    ("ENABLE", |_| true),
    ("IDLE", |_| true),
    ("LITERAL+", |_| true),
    ("NAMESPACE", |_| true),
    ("UNSELECT", |_| true),
    ("UIDPLUS", |can| can.remove),
    ("MOVE", |can| can.add && can.remove),
    ("CHILDREN", |_| true),
    ("SPECIAL-USE", |_| true),
    ("CREATE-SPECIAL-USE", |can| can.create_special_use),
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
    /// What the session can do; before login, what any may be able to.
    pub(crate) abilities: Abilities,
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
        let can = self.abilities;
        EXTENSIONS.iter().filter(|e| e.1(can)).for_each(|e| add(e.0));
        if can.add && !self.config.disabled.contains("APPENDLIMIT") {
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
            abilities: Abilities::ALL,
            append_limit,
        }
        .list()
    }

    /// R4315-016, R6851-021, R6154-005, R6154-006, R7889-003
    #[test]
    fn what_a_session_cannot_do_is_not_advertised() {
        let of = |change: fn(&mut Abilities)| {
            let mut abilities = Abilities::READ_ONLY;
            change(&mut abilities);
            Facts {
                config: &Config::default(),
                state: State::Authenticated,
                tls: true,
                loopback: false,
                abilities,
                append_limit: 10,
            }
            .list()
        };
        let list = |before: &str, rest: &str| {
            format!("IMAP4rev1 SASL-IR ID ENABLE IDLE LITERAL+ NAMESPACE UNSELECT {before}CHILDREN SPECIAL-USE{rest}")
        };
        assert_eq!(of(|_| {}), list("", ""));
        assert_eq!(of(|can| can.flags = true), list("", ""));
        assert_eq!(of(|can| can.add = true), list("", " APPENDLIMIT=10"));
        assert_eq!(of(|can| can.remove = true), list("UIDPLUS ", ""));
        let both = of(|can| (can.add, can.remove) = (true, true));
        assert_eq!(both, list("UIDPLUS MOVE ", " APPENDLIMIT=10"));
        assert_eq!(of(|can| can.create_special_use = true), list("", " CREATE-SPECIAL-USE"));
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
