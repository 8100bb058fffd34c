//! What every command and every row of a FETCH pays for.
fn main() {}
