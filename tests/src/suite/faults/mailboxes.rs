//! Faults of mailboxes: LIST, LSUB, STATUS, CREATE, DELETE and their like, and of NAMESPACE and CAPABILITY.

use super::{Command, Fault};

pub(super) const FAULTS: &[Fault] = &[
    Fault::each("LIST tells another separator", "3501 6.3.8", |h| {
        h.is("LIST").then(|| h.text.replacen("\"/\"", "\"#\"", 1))
    })
    .seen_by(&["3501 7.2.2"]),
    Fault::each("a separator of two characters", "3501 7.2.2", |h| {
        h.is("LIST").then(|| h.text.replacen("\"/\"", "\"//\"", 1))
    })
    .seen_by(&["3501 6.3.8"]),
    Fault::each("LIST has no attributes", "3501 7.2.2", |h| {
        let (_, rest) = h.text.split_once(") ").filter(|_| h.is("LIST"))?;
        Some(format!("* LIST {rest}"))
    }),
    Fault::each("\\Noselect is lost", "3501 7.2.2", |h| {
        (h.is("LIST") || h.is("LSUB")).then(|| h.text.replacen("\\Noselect", "", 1).replace("( ", "("))
    })
    .seen_by(&["3501 6.3.8", "3501 6.3.4"]),
    Fault::each("INBOX is not listed", "3501 6.3.8", |h| {
        (h.is("LIST") && h.text.ends_with(" INBOX\r\n")).then(String::new)
    }),
    Fault::each("a listed name is lost", "3501 6.3.8", |h| {
        h.is("LIST").then(String::new)
    }),
    Fault::each("a name with a space is not quoted", "3501 7.2.2", |h| {
        let (before, name) = h
            .text
            .rsplit_once(" \"")
            .filter(|(_, name)| h.is("LIST") && name.contains(' '))?;
        Some(format!("{before} {}", name.replace('"', "")))
    }),
    Fault::asking("% crosses levels", "3501 6.3.8", |c| {
        listing(c).then(|| c.line.replace('%', "*"))
    }),
    Fault::asking("* stays on its level", "3501 6.3.8", |c| {
        listing(c).then(|| c.line.replace('*', "%"))
    }),
    Fault::asking("the reference is passed over", "3501 6.3.8", |c| {
        let mut words = c.line.splitn(4, ' ').skip(2);
        let (reference, pattern) = (words.next()?, words.next()?);
        (c.verb() == "LIST" && !reference.starts_with(['"', '(', '{']))
            .then(|| format!("{} LIST \"\" {pattern}", c.tag))
    }),
    Fault::each("LSUB answers with LIST", "3501 6.3.9", |h| {
        h.is("LSUB").then(|| h.with("* LSUB", "* LIST"))?
    }),
    Fault::asking("LSUB tells what is not subscribed", "3501 6.3.9", |c| {
        let (_, arguments) = c
            .line
            .split_once(' ')?
            .1
            .split_once(' ')
            .filter(|_| c.verb() == "LSUB")?;
        Some(format!("{} LIST {arguments}", c.tag))
    })
    .telling(|h| (h.verb() == "LSUB").then(|| h.with("* LIST", "* LSUB"))?),
    Fault::asking("SUBSCRIBE does nothing", "3501 6.3.6", |c| nothing(c, "SUBSCRIBE")),
    Fault::asking("UNSUBSCRIBE does nothing", "3501 6.3.7", |c| nothing(c, "UNSUBSCRIBE")),
    Fault::asking("CREATE makes nothing", "3501 6.3.3", |c| nothing(c, "CREATE")),
    Fault::asking("DELETE deletes nothing", "3501 6.3.4", |c| nothing(c, "DELETE")),
    Fault::asking("RENAME renames nothing", "3501 6.3.5", |c| nothing(c, "RENAME")),
    Fault::asking("RENAME makes an empty mailbox", "3501 6.3.5", |c| {
        let target = c.line.split(' ').nth(3).filter(|_| c.verb() == "RENAME")?;
        Some(format!("{} CREATE {target}", c.tag))
    }),
    Fault::asking("COPY copies nothing", "3501 6.4.7", |c| nothing(c, "COPY")),
    Fault::asking("COPY moves", "3501 6.4.7", |c| {
        (c.verb() == "COPY").then(|| c.line.replacen(" COPY ", " MOVE ", 1))
    })
    .telling(|h| (h.verb() == "COPY" && h.is("EXPUNGE")).then(String::new)),
    Fault::asking("MOVE copies", "6851 3.1", |c| {
        (c.verb() == "MOVE").then(|| c.line.replacen(" MOVE ", " COPY ", 1))
    }),
    Fault::asking("APPEND loses the flags", "3501 6.3.11", |c| {
        let (before, after) = c.line.split_once(" (").filter(|_| c.verb() == "APPEND")?;
        Some(format!("{before}{}", after.split_once(')')?.1))
    }),
    Fault::asking("APPEND loses the date", "3501 6.3.11", |c| {
        let (before, after) = c.line.rsplit_once(" {").filter(|_| c.verb() == "APPEND")?;
        Some(format!("{} {{{after}", before.strip_suffix('"')?.rsplit_once(" \"")?.0))
    })
    .seen_by(&["3501 2.3.3"]),
    Fault::each("STATUS of another mailbox", "3501 6.3.10", |h| {
        h.is("STATUS").then(|| h.with("STATUS ", "STATUS x"))?
    })
    .seen_by(&["3501 7.2.4"]),
    Fault::each("STATUS lacks an item", "3501 6.3.10", |h| {
        let (before, items) = h.text.rsplit_once('(').filter(|_| h.is("STATUS"))?;
        let rest = items.splitn(3, ' ').nth(2)?;
        Some(format!("{before}({rest}"))
    })
    .seen_by(&["3501 7.2.4"]),
    Fault::each("STATUS counts a message too many", "3501 6.3.10", |h| {
        let (before, after) = h.text.split_once("MESSAGES ").filter(|_| h.is("STATUS"))?;
        let end = after.find([' ', ')'])?;
        let (number, rest) = after.split_at_checked(end)?;
        Some(format!("{before}MESSAGES {}{rest}", number.parse::<u32>().ok()? + 1))
    }),
    Fault::each("STATUS tells nothing", "3501 6.3.10", |h| {
        h.is("STATUS").then(String::new)
    }),
    Fault::each("CAPABILITY lacks IMAP4rev1", "3501 6.1.1", |h| {
        h.is("CAPABILITY").then(|| h.with(" IMAP4rev1", ""))?
    }),
    Fault::each("CAPABILITY tells nothing", "3501 6.1.1", |h| {
        h.is("CAPABILITY").then(String::new)
    }),
    Fault::each("the capabilities behind the login lack IMAP4rev1", "3501 7.2.1", |h| {
        (h.tagged() && h.has_code("CAPABILITY")).then(|| h.with(" IMAP4rev1", ""))?
    })
    .seen_by(&["3501 6.2.3"]),
    Fault::each("ENABLED is lost", "5161 3.1", |h| h.is("ENABLED").then(String::new)),
    Fault::each("NAMESPACE has two groups", "2342 5", |h| {
        h.is("NAMESPACE")
            .then(|| h.text.trim_end().strip_suffix(" NIL").map(|rest| format!("{rest}\r\n")))?
    }),
    Fault::each("the prefix of a namespace is NIL", "2342 5", |h| {
        h.is("NAMESPACE").then(|| h.with("((\"\" ", "((NIL "))?
    }),
    Fault::each("ID is told twice", "2971 3", |h| h.is("ID").then(|| h.text.repeat(2))),
    Fault::each("ID is not told", "2971 3", |h| h.is("ID").then(String::new)),
];

fn listing(command: &Command) -> bool {
    matches!(command.verb(), "LIST" | "LSUB")
}

fn nothing(command: &Command, verb: &str) -> Option<String> {
    // The text of a literal would be a command of its own.
    let does = command.verb() == verb && !command.line.ends_with('}');
    does.then(|| format!("{} NOOP", command.tag))
}
