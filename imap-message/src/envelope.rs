//! ENVELOPE of one message header (RFC 3501 7.4.2).

use crate::address::write_addresses;
use crate::field::{Field, Fields};
use crate::wire;

/// The envelope of a message whose header has none of its fields, or whose envelope is beyond the bounds.
pub(crate) const EMPTY: &[u8] = b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)";

/// Writes the envelope. Texts stand as they do in the header, unfolded but not decoded. Sender and Reply-To are those
/// of From where the header has none.
pub(crate) fn write_envelope(out: &mut Vec<u8>, fields: &Fields) {
    let from = addresses(fields, Field::From);
    out.push(b'(');
    wire::nstring(out, fields.value(Field::Date).as_deref());
    out.push(b' ');
    wire::nstring(out, fields.value(Field::Subject).as_deref());
    write_list(out, from.as_deref());
    for field in [Field::Sender, Field::ReplyTo] {
        write_list(out, addresses(fields, field).or_else(|| from.clone()).as_deref());
    }
    for field in [Field::To, Field::Cc, Field::Bcc] {
        write_list(out, addresses(fields, field).as_deref());
    }
    for field in [Field::InReplyTo, Field::MessageId] {
        out.push(b' ');
        wire::nstring(out, fields.value(field).as_deref());
    }
    out.push(b')');
}

/// The addresses of a field as wire octets, if it has any.
fn addresses(fields: &Fields, field: Field) -> Option<Vec<u8>> {
    let mut list = Vec::new();
    write_addresses(&mut list, &fields.value(field)?);
    (!list.is_empty()).then_some(list)
}

fn write_list(out: &mut Vec<u8>, list: Option<&[u8]>) {
    match list {
        None => out.extend_from_slice(b" NIL"),
        Some(list) => {
            out.extend_from_slice(b" (");
            out.extend_from_slice(list);
            out.push(b')');
        }
    }
}
