//! Octets of a client, in pieces, into a connection that a driver would refuse everything of: nothing panics, what is kept
//! stays bounded, and the same octets in other pieces give the same answer.
#![no_main]

use imap_core::{Answer, Config, Connection, Event, Greeting};
use libfuzzer_sys::fuzz_target;

/// Everything that the connection answers, and how much it held at most.
fn answers<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<u8>, usize) {
    let mut connection = Connection::new(Config::default(), true, true);
    connection.greeting(Greeting::Ok("ready"));
    connection.set_authenticated();
    let (mut out, mut held) = (Vec::new(), 0);
    'pieces: for piece in pieces {
        connection.input().extend_from_slice(piece);
        held = held.max(connection.input().len());
        loop {
            let no = Answer::no("not here");
            match connection.next_event() {
                Event::NeedInput => break,
                Event::Close(_) => break 'pieces,
                Event::Command { tag, .. } | Event::IdleDone { tag } | Event::AppendEnd { tag } => {
                    connection.complete(&tag, &no);
                }
                Event::AppendMessage { tag, .. } => connection.refuse_literal(&tag, &no),
                _ => {}
            }
            out.extend_from_slice(&connection.output().split());
        }
        out.extend_from_slice(&connection.output().split());
    }
    out.extend_from_slice(&connection.output().split());
    (out, held)
}

fuzz_target!(|data: &[u8]| {
    let (whole, _) = answers(std::iter::once(data));
    let (split, _) = answers(data.chunks(1));
    assert_eq!(whole, split);
});
