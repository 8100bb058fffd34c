//! The certificate that the server makes for itself at its first start, and where it is kept.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use imap_server::backend_api::DateTime;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, SanType, date_time_ymd};

use crate::failure::Failure;

const CERT: &str = "cert.pem";
const KEY: &str = "key.pem";
/// Clients that were told to trust it should not have to be told again soon.
const YEARS: i32 = 10;

/// The paths of certificate and key below `data`, made if they are not there.
///
/// # Errors
/// They cannot be written.
pub(crate) fn at(data: &Path) -> Result<(PathBuf, PathBuf), Failure> {
    let folder = data.join("tls");
    let paths = (folder.join(CERT), folder.join(KEY));
    if folder.is_dir() {
        return Ok(paths);
    }
    let failed = |why: String| Failure::new(format!("no certificate can be made in {}: {why}", folder.display()));
    let (cert, key) = make().map_err(|e| failed(e.to_string()))?;
    keep(&folder, &cert, &key).map_err(|e| failed(e.to_string()))?;
    tracing::info!(cert = %paths.0.display(), "made a self-signed certificate");
    Ok(paths)
}

fn make() -> Result<(String, String), rcgen::Error> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let mut params = CertificateParams::default();
    let names = ["localhost".to_owned(), host];
    // A host name that cannot be in a certificate is left out.
    params.subject_alt_names = names
        .into_iter()
        .filter_map(|n| n.try_into().ok())
        .map(SanType::DnsName)
        .collect();
    params.subject_alt_names.dedup();
    let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    params.subject_alt_names.extend(loopback.map(SanType::IpAddress));
    params.distinguished_name.push(DnType::CommonName, "imapd on localhost");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let (year, month) = this_month();
    params.not_before = date_time_ymd(year, month, 1);
    params.not_after = date_time_ymd(year + YEARS, month, 1);
    let key = KeyPair::generate()?;
    let cert = params.self_signed(&key)?;
    Ok((cert.pem(), key.serialize_pem()))
}

fn this_month() -> (i32, u8) {
    // Clocks of other machines may be behind by some days.
    let (year, month, _) = DateTime::new(DateTime::now().unix() - 7 * 86_400, 0).date().civil();
    (year, month)
}

/// Both files appear at once, also when two servers start on a new folder at the same time: one of them wins.
fn keep(folder: &Path, cert: &str, key: &str) -> io::Result<()> {
    let new = folder.with_extension(format!("new-{}", std::process::id()));
    let _ = fs::remove_dir_all(&new);
    DirBuilder::new().mode(0o700).create(&new)?;
    for (name, text, mode) in [(CERT, cert, 0o644), (KEY, key, 0o600)] {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(new.join(name))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
    }
    let renamed = fs::rename(&new, folder);
    if renamed.is_err() && folder.is_dir() {
        return fs::remove_dir_all(&new);
    }
    renamed
}
