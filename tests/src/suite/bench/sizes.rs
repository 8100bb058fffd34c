//! How much is measured: the sizes of mailboxes, how many connections, for how long.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A choice of sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// What figures are quoted of.
    #[default]
    Full,
    /// A tenth of it, for a quick look.
    Quick,
    /// To see that all works: what is measured means nothing.
    Tiny,
}

/// How much is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Sizes {
    /// Messages of a mailbox of ordinary mail.
    pub medium: usize,
    /// Messages of a mailbox of small mail.
    pub large: usize,
    /// The largest attachment of ordinary mail, in octets.
    pub attachment: usize,
    /// Octets of the one large message.
    pub big: usize,
    /// How long a closed loop goes on.
    pub time: Duration,
    /// How often one command is repeated.
    pub times: usize,
    /// Messages that are copied or moved at once.
    pub copied: usize,
    /// Mailboxes that are made and listed.
    pub mailboxes: usize,
    /// Sessions that wait for a message.
    pub watchers: usize,
    /// Messages that they wait for.
    pub arrivals: usize,
    /// Connections that idle for the sake of their memory.
    pub idle: usize,
    /// How long the server has to come to rest before its memory is looked at.
    pub rest: Duration,
    /// The sizes at which growth is looked at, in messages, ascending.
    pub growth: Vec<usize>,
}

impl Sizes {
    /// Those of a scale.
    pub fn of(scale: Scale) -> Self {
        match scale {
            Scale::Full => Self::full(),
            Scale::Quick => Self::quick(),
            Scale::Tiny => Self::tiny(),
        }
    }

    fn full() -> Self {
        Self {
            medium: 10_000,
            large: 100_000,
            attachment: 50_000,
            big: 25 << 20,
            time: Duration::from_secs(4),
            times: 3,
            copied: 1000,
            mailboxes: 1000,
            watchers: 200,
            arrivals: 20,
            idle: 1000,
            rest: Duration::from_secs(2),
            growth: vec![1000, 10_000, 100_000],
        }
    }

    fn quick() -> Self {
        Self {
            medium: 1000,
            large: 10_000,
            time: Duration::from_secs(1),
            arrivals: 8,
            idle: 200,
            growth: vec![100, 1000, 10_000],
            ..Self::full()
        }
    }

    fn tiny() -> Self {
        Self {
            medium: 120,
            large: 300,
            attachment: 13_000,
            big: 150_000,
            time: Duration::from_millis(20),
            times: 2,
            copied: 50,
            mailboxes: 20,
            watchers: 5,
            arrivals: 2,
            idle: 5,
            rest: Duration::ZERO,
            growth: vec![10, 30, 100],
        }
    }
}

/// `100,000`.
pub(super) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let shown = [0, 999, 1000, 12_345, 1_000_000].map(thousands);
        assert_eq!(shown, ["0", "999", "1,000", "12,345", "1,000,000"]);
    }
}
