//! The program `imap-compliance`: plays the suite against any IMAP server.

fn main() -> std::process::ExitCode {
    imap_compliance::suite::cli::main()
}
