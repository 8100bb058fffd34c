//! Dialogues: one claim a test, tried over every kind of backend. A file is a command, an extension, or a trap that belongs
//! to none.
//!
//! The traps, each of which has bitten some server, and where they are tested:
//!
//! | trap | test |
//! |---|---|
//! | EXAMINE, STORE `\Deleted`, CLOSE must delete nothing | `select::close_after_examine_removes_nothing` |
//! | MOVE from a mailbox opened by EXAMINE | `r#move::from_a_mailbox_opened_by_examine_is_refused` |
//! | MOVE sends each EXPUNGE once; two MOVEs of one message | `r#move::each_expunge_is_told_once`, `…two_sessions…` |
//! | mail between the last command and IDLE | `idle::mail_that_came_before_idle_is_announced` |
//! | IDLE and DONE in one packet, DONE in bytes, commands behind | `idle` |
//! | text of a refused literal, of a literal behind a BAD | `literal` |
//! | a command behind a LITERAL+ literal in the same packet | `literal::a_command_in_the_same_packet_runs` |
//! | second flag change before a sync | `updates::a_second_flag_change_is_not_lost` |
//! | pipelined STORE and EXPUNGE; NOOP and STORE | `updates` |
//! | `UID FETCH n:*` and a message moved in meanwhile | `updates::n_star_of_uid_fetch_means_the_mailbox_of_now` |
//! | an old numbering before its EXPUNGE is told; ghosts | `updates`, `model` |
//! | never `* 0 FETCH` | a hole never stands for 0; `model` |
//! | LIST patterns in linear time | `list::patterns_of_many_stars_are_matched_at_once` |
//! | no raw UTF-8 in ENVELOPE; a missing From; RFC822.TEXT; `\Seen` by HEADER.FIELDS | `fetch`, `structure` |
//! | SELECT gives UNSEEN | `select::tells_the_whole_of_a_mailbox` |
//! | sequence sets of 50,000 ranges; numbers above 2^32 | `fetch` |
//! | nesting, long lines, large literals, before login and after | `limits` |
//! | LOGIN with a 50 MB literal | `limits::a_literal_of_50_mb_before_login_is_refused_unread` |
//! | STARTTLS forgets what came before the handshake | `starttls` |
//! | UIDVALIDITY of a mailbox made again | `create::a_mailbox_made_again_has_another_uidvalidity` |
//! | a SEARCH with a message set | `search::a_message_set_is_of_numbers` |
//! | a password with a NUL; another's authzid | `authenticate` |
//! | bare LF, CR of a body; future dates; zones | `append` |
//! | CREATE with CR LF in a name | `create::a_name_with_control_characters_is_refused` |
//! | a failed SELECT and the mailbox before | `select::one_that_fails_leaves_nothing_selected` |
//! | keywords beyond a number | `store::keywords_beyond_the_limit_are_refused_in_words` |
//! | a client that does not read; 40 MB of pipelined commands; writes per buffer | `slow` |
//!
//! Elsewhere: 25,000 pending expunges and 1,000,000 flag changes are in the benches of `backendutil`; password hashing on as
//! many threads as cores in `backend-sqlite`; COMPRESS, QRESYNC, LIST-STATUS come with those extensions.

// A dialogue fails by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod any_state;
mod append;
mod appendlimit;
mod authenticate;
mod copy;
mod create;
mod delete;
mod enable;
mod expunge;
mod fetch;
mod id;
mod idle;
mod limits;
mod list;
mod literal;
mod login;
mod lsub;
mod r#move;
mod namespace;
mod rename;
mod search;
mod section;
mod select;
mod slow;
mod starttls;
mod status;
mod store;
mod structure;
mod subscribe;
mod uid;
mod updates;
