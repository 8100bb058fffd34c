//! Whether a response follows the formal syntax.

use super::token::Response;

/// Response codes whose arguments are known.
pub(super) fn is_known_code(_name: &str) -> bool {
    false
}

/// What is wrong with the syntax of a response.
///
/// # Errors
/// What.
pub fn check(_response: &Response) -> Result<(), String> {
    Ok(())
}
