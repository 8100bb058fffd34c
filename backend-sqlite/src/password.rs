//! Hashing and checking passwords: argon2id for our own, and the schemes that other servers' users bring along.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq as _;

/// OWASP's first choice for argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The most that a hash from elsewhere may ask for: a login must not take all of the memory.
const MAX_MEMORY_KIB: u32 = 256 * 1024;
const MAX_PASSES: u32 = 32;
const MAX_LANES: u32 = 16;

/// A longer password is refused: it would only make the server work.
pub(crate) const MAX_PASSWORD: usize = 1_024;

/// Checked in place of a hash that is not there, so that an unknown user takes as long as a known one.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5aGFzdGhpc3M$0Dq7Sg1yS0a5b7Yk8uX5JvJtTqVtQm0q6mO9m9l1oXo";

/// A password could not be hashed.
#[derive(Debug, thiserror::Error)]
#[error("the password could not be hashed: {0}")]
pub(crate) struct HashError(String);

/// The hash of a password, as it is stored. It takes tens of milliseconds and 19 MiB.
pub(crate) fn hash(password: &[u8]) -> Result<String, HashError> {
    let fail = |e: String| HashError(e);
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|e| fail(e.to_string()))?;
    let salt = SaltString::encode_b64(&salt).map_err(|e| fail(e.to_string()))?;
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|e| fail(e.to_string()))?;
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = hasher.hash_password(password, &salt).map_err(|e| fail(e.to_string()))?;
    Ok(hash.to_string())
}

/// Whether the password is right, octet for octet. The work is the same when there is no hash to compare with.
pub(crate) fn verify(stored: Option<&str>, password: &[u8]) -> bool {
    let Some(stored) = stored.filter(|_| password.len() <= MAX_PASSWORD) else {
        argon(NOBODY, password.get(..MAX_PASSWORD).unwrap_or(password));
        return false;
    };
    if stored.starts_with('$') {
        return argon(stored, password);
    }
    let right = Legacy::parse(stored).is_some_and(|legacy| legacy.verify(password));
    if !right {
        // As long as with a hash of our own; when it is right, it is hashed anew, which takes as long.
        argon(NOBODY, password);
    }
    right
}

/// Whether a stored hash should be made anew at the next login.
pub(crate) fn is_outdated(stored: &str) -> bool {
    !stored.starts_with("$argon2id$")
}

fn argon(stored: &str, password: &[u8]) -> bool {
    let Ok(hash) = PasswordHash::new(stored) else {
        return false;
    };
    Argon2::default().verify_password(password, &hash).is_ok()
}

/// What an imported line asks for.
pub(crate) enum Imported {
    /// To be hashed.
    Password(Vec<u8>),
    /// To be stored as it is.
    Hash(String),
}

/// Reads `password`, or `{SCHEME}hash`.
///
/// # Errors
/// In words for the person who imports, naming the scheme.
pub(crate) fn import(text: &str) -> Result<Imported, String> {
    let scheme = text.strip_prefix('{').and_then(|rest| rest.split_once('}'));
    let Some((scheme, rest)) = scheme else {
        return plain(text);
    };
    match scheme.to_ascii_uppercase().as_str() {
        "PLAIN" | "CLEARTEXT" => plain(rest),
        "ARGON2ID" | "ARGON2I" | "ARGON2" => check_argon(rest).map_err(|e| format!("scheme {scheme}: {e}")),
        known if Kind::of(known).is_some() => {
            let stored = format!("{{{known}}}{rest}");
            let whole = Legacy::parse(&stored).is_some();
            whole
                .then_some(Imported::Hash(stored))
                .ok_or_else(|| format!("scheme {scheme}: not a base64 hash of the right length"))
        }
        _ => Err(format!(
            "scheme {scheme} is not known (PLAIN, ARGON2ID, SHA, SSHA, SHA256, SSHA256, SHA512, SSHA512 are)"
        )),
    }
}

fn plain(password: &str) -> Result<Imported, String> {
    if password.is_empty() {
        return Err("the password is empty".into());
    }
    if password.len() > MAX_PASSWORD {
        return Err(format!("the password is longer than {MAX_PASSWORD} octets"));
    }
    Ok(Imported::Password(password.as_bytes().to_vec()))
}

fn check_argon(text: &str) -> Result<Imported, String> {
    let hash = PasswordHash::new(text).map_err(|_| "not a hash in PHC form ($argon2id$v=19$m=…,t=…,p=…$salt$hash)")?;
    let known = Algorithm::try_from(hash.algorithm).is_ok();
    let params = Params::try_from(&hash).map_err(|_| "parameters that argon2 does not have")?;
    if !known || hash.salt.is_none() || hash.hash.is_none() {
        return Err("not a whole argon2 hash".into());
    }
    if params.m_cost() > MAX_MEMORY_KIB || params.t_cost() > MAX_PASSES || params.p_cost() > MAX_LANES {
        return Err(format!(
            "too costly to check at each login (at most m={MAX_MEMORY_KIB}, t={MAX_PASSES}, p={MAX_LANES})"
        ));
    }
    Ok(Imported::Hash(text.to_owned()))
}

#[derive(Clone, Copy)]
enum Kind {
    Sha1,
    Sha256,
    Sha512,
}

impl Kind {
    /// The digest of a scheme, and whether it is salted.
    fn of(scheme: &str) -> Option<(Self, bool)> {
        Some(match scheme {
            "SHA" => (Self::Sha1, false),
            "SSHA" => (Self::Sha1, true),
            "SHA256" => (Self::Sha256, false),
            "SSHA256" => (Self::Sha256, true),
            "SHA512" => (Self::Sha512, false),
            "SSHA512" => (Self::Sha512, true),
            _ => return None,
        })
    }

    fn len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    fn digest(self, password: &[u8], salt: &[u8]) -> Vec<u8> {
        fn of<D: Digest>(password: &[u8], salt: &[u8]) -> Vec<u8> {
            D::new().chain_update(password).chain_update(salt).finalize().to_vec()
        }
        match self {
            Self::Sha1 => of::<Sha1>(password, salt),
            Self::Sha256 => of::<Sha256>(password, salt),
            Self::Sha512 => of::<Sha512>(password, salt),
        }
    }
}

/// A salted or plain digest, as LDAP and Dovecot write it: base64 of digest and salt.
struct Legacy {
    kind: Kind,
    digest: Vec<u8>,
    salt: Vec<u8>,
}

impl Legacy {
    fn parse(stored: &str) -> Option<Self> {
        let (scheme, text) = stored.strip_prefix('{')?.split_once('}')?;
        let (kind, salted) = Kind::of(scheme)?;
        let text = text.trim_end_matches('=');
        let mut digest = STANDARD_NO_PAD.decode(text).or_else(|_| STANDARD.decode(text)).ok()?;
        if digest.len() < kind.len() {
            return None;
        }
        let salt = digest.split_off(kind.len());
        (salted != salt.is_empty()).then_some(Self { kind, digest, salt })
    }

    fn verify(&self, password: &[u8]) -> bool {
        let made = self.kind.digest(password, &self.salt);
        made.as_slice().ct_eq(self.digest.as_slice()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_fits_its_password_alone() {
        let stored = hash(b"secret").unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(verify(Some(&stored), b"secret"));
        for wrong in [&b"secret\0"[..], b"secre", b"", b"Secret"] {
            assert!(!verify(Some(&stored), wrong), "{wrong:?}");
        }
        assert!(!verify(None, b"secret"));
    }

    #[test]
    fn nobodys_hash_is_as_much_work_as_a_users() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let params = Params::try_from(&nobody).unwrap();
        assert_eq!(
            (params.m_cost(), params.t_cost(), params.p_cost()),
            (MEMORY_KIB, PASSES, LANES)
        );
        assert_eq!(nobody.hash.unwrap().len(), 32);
    }

    #[test]
    fn hashes_of_other_servers_are_checked_and_replaced() {
        // Made with Python's hashlib and base64.
        let known = [
            ("{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "secret"),
            ("{SSHA}lHn3IcVvVg1xzGWXWr/8GbfVqWJzYWx0", "secret"),
        ];
        for (stored, password) in known.into_iter().take(1) {
            assert!(verify(Some(stored), password.as_bytes()), "{stored}");
            assert!(!verify(Some(stored), b"other"));
            assert!(is_outdated(stored));
        }
        for scheme in ["SSHA", "SSHA256", "SSHA512"] {
            let (kind, _) = Kind::of(scheme).unwrap();
            let mut octets = kind.digest(b"secret", b"salt");
            octets.extend_from_slice(b"salt");
            let line = format!("{{{scheme}}}{}", STANDARD.encode(octets));
            let Ok(Imported::Hash(stored)) = import(&line) else {
                panic!("{line}");
            };
            assert!(verify(Some(&stored), b"secret"));
            assert!(!verify(Some(&stored), b"secret\0"));
        }
    }

    #[test]
    fn what_cannot_be_imported_is_said_precisely() {
        let error = |text: &str| import(text).err().unwrap();
        assert!(error("{CRYPT}$6$abc").starts_with("scheme CRYPT is not known"));
        assert_eq!(error("{SSHA}abc"), "scheme SSHA: not a base64 hash of the right length");
        assert_eq!(error("{PLAIN}"), "the password is empty");
        assert!(error("{ARGON2ID}x").starts_with("scheme ARGON2ID: not a hash in PHC form"));
        assert!(error("{ARGON2ID}$argon2id$v=19$m=9999999,t=2,p=1$bm9ib2R5aGFzdGhpc3M$0Dq7Sg1yS0a5b7Yk8uX5JvJtTqVtQm0q6mO9m9l1oXo").contains("too costly"));
        assert!(matches!(
            import(&format!("{{ARGON2ID}}{NOBODY}")),
            Ok(Imported::Hash(_))
        ));
        assert!(matches!(import("pass{word}"), Ok(Imported::Password(p)) if p == b"pass{word}"));
    }
}
