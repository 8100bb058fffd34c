//! What the MIME fields of one header say: the media type and its defaults, the encoding, and everything that
//! BODYSTRUCTURE shows of them (RFC 2045, RFC 2183, RFC 3282, RFC 2557; RFC 3501 7.4.2).

use crate::cursor::Cursor;
use crate::field::{Field, Fields};
use crate::limits::{MAX_BOUNDARY, MAX_LANGUAGES};
use crate::parameter::{Parameter, named, parameters};
use crate::wire;

/// How a part's body is encoded (RFC 2045 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferEncoding {
    /// `7bit`, `8bit`, `binary`, or no such field: the body is what it says.
    Identity,
    /// `base64`
    Base64,
    /// `quoted-printable`
    QuotedPrintable,
    /// A name that nobody knows: the body can not be decoded.
    Unknown,
}

impl TransferEncoding {
    /// The encoding of this name, in any case.
    pub fn named(name: &[u8]) -> Self {
        let known: [(&[u8], Self); 6] = [
            (b"7bit", Self::Identity),
            (b"8bit", Self::Identity),
            (b"binary", Self::Identity),
            (b"base64", Self::Base64),
            (b"quoted-printable", Self::QuotedPrintable),
            (b"", Self::Identity),
        ];
        let name = name.trim_ascii();
        known
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map_or(Self::Unknown, |&(_, encoding)| encoding)
    }
}

/// The media type that a part has without a Content-Type of its own (RFC 2046 5.1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DefaultType {
    TextPlain,
    /// Inside multipart/digest.
    Message,
}

/// The media type of a part.
#[derive(Debug)]
pub(crate) struct Media {
    pub(crate) kind: Vec<u8>,
    pub(crate) subtype: Vec<u8>,
    pub(crate) parameters: Vec<Parameter>,
}

impl Media {
    /// The type of a header. A Content-Type that breaks the syntax counts as absent (RFC 2045 5.2).
    pub(crate) fn of(fields: &Fields, default: DefaultType) -> Self {
        let parsed = fields.value(Field::ContentType).and_then(|value| Self::parse(&value));
        parsed.unwrap_or_else(|| Self::default_of(default))
    }

    fn parse(value: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(value);
        cursor.skip_cfws();
        let kind = cursor.token();
        cursor.skip_cfws();
        if kind.is_empty() || !cursor.eat(b'/') {
            return None;
        }
        cursor.skip_cfws();
        let subtype = cursor.token();
        if subtype.is_empty() {
            return None;
        }
        Some(Self {
            kind: kind.to_vec(),
            subtype: subtype.to_vec(),
            parameters: parameters(&mut cursor),
        })
    }

    fn default_of(default: DefaultType) -> Self {
        match default {
            DefaultType::Message => Self::bare("MESSAGE", "RFC822"),
            DefaultType::TextPlain => Self {
                parameters: vec![Parameter {
                    name: b"CHARSET".to_vec(),
                    value: b"US-ASCII".to_vec(),
                }],
                ..Self::bare("TEXT", "PLAIN")
            },
        }
    }

    /// What a part is shown as whose structure is beyond the bounds.
    pub(crate) fn opaque() -> Self {
        Self::bare("APPLICATION", "OCTET-STREAM")
    }

    fn bare(kind: &str, subtype: &str) -> Self {
        Self {
            kind: kind.into(),
            subtype: subtype.into(),
            parameters: Vec::new(),
        }
    }

    pub(crate) fn is(&self, kind: &str, subtype: &str) -> bool {
        self.is_kind(kind) && self.subtype.eq_ignore_ascii_case(subtype.as_bytes())
    }

    pub(crate) fn is_kind(&self, kind: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind.as_bytes())
    }

    /// The boundary of a multipart, if it has one within the bounds.
    pub(crate) fn boundary(&self) -> Option<&[u8]> {
        // White space at the end can not be told from what gateways add to the line (RFC 2046 5.1.1).
        let boundary = named(&self.parameters, "boundary")?.trim_ascii_end();
        (1..=MAX_BOUNDARY).contains(&boundary.len()).then_some(boundary)
    }

    pub(crate) fn charset(&self) -> Option<&[u8]> {
        named(&self.parameters, "charset")
    }
}

/// The encoding of a header, without comments; absent is `7BIT`.
pub(crate) fn encoding_name(fields: &Fields) -> Vec<u8> {
    let value = fields.value(Field::ContentTransferEncoding).unwrap_or_default();
    let mut cursor = Cursor::new(&value);
    cursor.skip_cfws();
    match cursor.token() {
        b"" => b"7BIT".to_vec(),
        name => name.to_vec(),
    }
}

/// Writes `type subtype params id description encoding` of a part that is no multipart.
pub(crate) fn write_basic(out: &mut Vec<u8>, media: &Media, fields: &Fields, encoding: &[u8]) {
    write_media(out, media);
    out.push(b' ');
    write_parameters(out, &media.parameters);
    for field in [Field::ContentId, Field::ContentDescription] {
        out.push(b' ');
        wire::nstring(out, fields.value(field).as_deref());
    }
    out.push(b' ');
    wire::string(out, encoding);
}

pub(crate) fn write_media(out: &mut Vec<u8>, media: &Media) {
    wire::string(out, &media.kind);
    out.push(b' ');
    wire::string(out, &media.subtype);
}

/// Writes ` md5 disposition language location`.
pub(crate) fn write_extension(out: &mut Vec<u8>, fields: &Fields) {
    out.push(b' ');
    wire::nstring(out, fields.value(Field::ContentMd5).as_deref());
    write_common_extension(out, fields);
}

/// Writes ` params disposition language location`, the extension data of a multipart.
pub(crate) fn write_multipart_extension(out: &mut Vec<u8>, media: &Media, fields: &Fields) {
    out.push(b' ');
    write_parameters(out, &media.parameters);
    write_common_extension(out, fields);
}

fn write_common_extension(out: &mut Vec<u8>, fields: &Fields) {
    out.push(b' ');
    write_disposition(out, fields.value(Field::ContentDisposition).as_deref());
    out.push(b' ');
    write_language(out, fields.value(Field::ContentLanguage).as_deref());
    out.push(b' ');
    wire::nstring(out, fields.value(Field::ContentLocation).as_deref());
}

fn write_parameters(out: &mut Vec<u8>, parameters: &[Parameter]) {
    if parameters.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    let mut before = b'(';
    for parameter in parameters {
        out.push(before);
        wire::string(out, &parameter.name);
        out.push(b' ');
        wire::string(out, &parameter.value);
        before = b' ';
    }
    out.push(b')');
}

fn write_disposition(out: &mut Vec<u8>, value: Option<&[u8]>) {
    let mut cursor = Cursor::new(value.unwrap_or_default());
    cursor.skip_cfws();
    let kind = cursor.token();
    if kind.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    wire::string(out, kind);
    out.push(b' ');
    write_parameters(out, &parameters(&mut cursor));
    out.push(b')');
}

fn write_language(out: &mut Vec<u8>, value: Option<&[u8]>) {
    let mut cursor = Cursor::new(value.unwrap_or_default());
    let mut tags = Vec::new();
    while cursor.peek().is_some() && tags.len() < MAX_LANGUAGES {
        cursor.skip_cfws();
        let tag = cursor.token();
        if !tag.is_empty() {
            tags.push(tag);
        }
        cursor.take_while(|octet| octet != b',');
        cursor.eat(b',');
    }
    match tags.as_slice() {
        [] => out.extend_from_slice(b"NIL"),
        [tag] => wire::string(out, tag),
        _ => {
            let mut before = b'(';
            for tag in tags {
                out.push(before);
                wire::string(out, tag);
                before = b' ';
            }
            out.push(b')');
        }
    }
}
