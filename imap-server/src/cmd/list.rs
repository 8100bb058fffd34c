//! LIST and LSUB (RFC 3501 6.3.8, 6.3.9): reference and pattern become one pattern. LIST can ask for mailboxes with a special
//! use alone (RFC 6154 2).

use backend_api::{Backend, Ctx, ListQuery, SEPARATOR, Session};
use imap_core::{ListNames, ListOptions};

use super::need;
use crate::connection::Conn;
use crate::reply::{Fail, Reply};
use crate::sink::{Lines, Out};
use crate::wire::race;

pub(super) async fn run<B: Backend>(
    conn: &mut Conn<B>,
    names: ListNames,
    lsub: bool,
    options: Option<ListOptions>,
) -> Result<Reply, Fail> {
    let done = if lsub { "LSUB completed" } else { "LIST completed" };
    // What is no name in modified UTF-7 stands for none: like any other pattern that nothing matches (RFC 3501 6.3.8).
    let Ok((reference, pattern)) = names else {
        return Reply::ok(done);
    };
    if pattern.is_empty() && !lsub && options.is_none() {
        conn.wire.core.writer().list_root(false);
        return Reply::ok(done);
    }
    let query = ListQuery::new(vec![join(&reference, &pattern)], lsub);
    let session = need(&mut conn.session)?;
    let ctx = Ctx::new(&conn.info);
    let wire = &mut conn.wire;
    let mut lines = Lines {
        out: Out::new(&mut wire.core, &mut wire.tx),
        lsub,
        special_use: options.is_some_and(|options| options.special_use),
    };
    let listed = race(
        session.list(&ctx, &query, &mut lines),
        &mut wire.rx,
        &wire.entry,
        wire.times.backend,
    )
    .await?;
    wire.check()?;
    listed?;
    Reply::ok(done)
}

/// The reference stands before the pattern (RFC 3501 6.3.8). No name starts with a separator, so a pattern that does means
/// the level below the reference, and without a reference the top.
fn join(reference: &str, pattern: &str) -> String {
    let below = pattern.strip_prefix(SEPARATOR);
    match below {
        Some(below) if reference.is_empty() => below.to_owned(),
        Some(below) if reference.ends_with(SEPARATOR) => format!("{reference}{below}"),
        _ => format!("{reference}{pattern}"),
    }
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn reference_and_pattern_are_one_pattern() {
        for (reference, pattern, joined) in [
            ("", "*", "*"),
            ("", "/foo", "foo"),
            ("a/", "%", "a/%"),
            ("a/", "/%", "a/%"),
            ("a", "/%", "a/%"),
            ("a", "b*", "ab*"),
            ("#news.", "x", "#news.x"),
        ] {
            assert_eq!(join(reference, pattern), joined);
        }
    }
}
