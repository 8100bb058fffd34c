//! The data folder: where its files are, that only their owner can read them, and which processes use it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::OpenError;

/// Locked while stores are counted or added.
const GATE: &str = "run/gate";
/// What the name of a store's views ends with.
const VIEWS: &str = "views";
/// Touched after a commit.
const BELL: &str = "run/bell";

/// The paths inside one data folder, and the lock that says that this store lives.
///
/// ```text
/// mail.db              accounts, mailboxes, flags, small messages
/// bodies/3f/3f09…      large messages, named by their random id
/// incoming/<store>/    messages that are being sent
/// run/<store>.lock     held as long as the store is open
/// run/<store>.views    which mailboxes its sessions number
/// run/bell             touched after each commit that others may want to hear of
/// ```
pub(crate) struct Folder {
    root: PathBuf,
    incoming: PathBuf,
    lock_path: PathBuf,
    bell: File,
    /// Held, never read.
    _lock: File,
}

impl Folder {
    /// Makes what is missing, refuses a network file system, and takes this store's lock.
    pub(crate) fn open(root: &Path) -> Result<Self, OpenError> {
        let at = |path: &Path, source| OpenError::Io {
            path: path.to_owned(),
            source,
        };
        make_folder(root).map_err(|e| at(root, e))?;
        let root = root.canonicalize().map_err(|e| at(root, e))?;
        if let Some(kind) = network_file_system(&root) {
            return Err(OpenError::NetworkFileSystem { path: root, kind });
        }
        for name in ["bodies", "incoming", "run"] {
            let path = root.join(name);
            make_folder(&path).map_err(|e| at(&path, e))?;
        }
        private_file(&root.join("mail.db")).map_err(|e| at(&root.join("mail.db"), e))?;
        let name = random_name().map_err(|e| at(&root, e))?;
        let lock_path = root.join("run").join(format!("{name}.lock"));
        let lock = Self::register(&root, &lock_path).map_err(|e| at(&lock_path, e))?;
        let incoming = root.join("incoming").join(&name);
        make_folder(&incoming).map_err(|e| at(&incoming, e))?;
        let bell = private_file(&root.join(BELL)).map_err(|e| at(&root.join(BELL), e))?;
        let folder = Self {
            root,
            incoming,
            lock_path,
            bell,
            _lock: lock,
        };
        // Those who thought that they were alone ring from now on.
        folder.ring();
        Ok(folder)
    }

    /// Behind the gate, so that nobody takes the new lock file for one whose owner died.
    fn register(root: &Path, lock_path: &Path) -> io::Result<File> {
        let _gate = gate(root)?;
        let lock = private_file(lock_path)?;
        lock.lock()?;
        Ok(lock)
    }

    /// The database.
    pub(crate) fn database(&self) -> PathBuf {
        self.root.join("mail.db")
    }

    /// The database's write-ahead log.
    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("mail.db-wal")
    }

    /// What every store on this folder watches.
    pub(crate) fn bell(&self) -> PathBuf {
        self.root.join(BELL)
    }

    /// Tells the other stores on this folder that something was committed.
    ///
    /// Watching the database's log would be too early: its octets are written before the commit can be seen.
    pub(crate) fn ring(&self) {
        if let Err(e) = self.bell.set_modified(SystemTime::now()) {
            tracing::debug!(error = %e, "other processes hear of this commit by their timers");
        }
    }

    /// The folder itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where this store's incoming messages are.
    pub(crate) fn incoming(&self) -> &Path {
        &self.incoming
    }

    /// Where all large messages are.
    pub(crate) fn bodies(&self) -> PathBuf {
        self.root.join("bodies")
    }

    /// Where the large message of this id is.
    pub(crate) fn body(&self, id: &[u8; 16]) -> PathBuf {
        let name = hex(id);
        let shelf = name.get(..2).unwrap_or("00");
        self.root.join("bodies").join(shelf).join(&name)
    }

    /// Where this store's views are.
    pub(crate) fn views(&self) -> PathBuf {
        self.lock_path.with_extension(VIEWS)
    }

    /// The other stores, of this process or another, that are open on this folder, each by the path of its views; `None`
    /// while somebody is just coming. Leftovers of dead ones are removed.
    pub(crate) fn others(&self) -> io::Result<Option<Vec<PathBuf>>> {
        let gate = private_file(&self.root.join(GATE))?;
        match gate.try_lock_shared() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(e)) => return Err(e),
        }
        let mut alive = Vec::new();
        for entry in fs::read_dir(self.root.join("run"))? {
            let path = entry?.path();
            if path == self.lock_path || path.extension().is_none_or(|e| e != "lock") {
                continue;
            }
            if !self.bury(&path)? {
                alive.push(path.with_extension(VIEWS));
            }
        }
        Ok(Some(alive))
    }

    /// Whether another store is open on this folder, or just being opened.
    pub(crate) fn others_alive(&self) -> io::Result<bool> {
        Ok(self.others()?.is_none_or(|others| !others.is_empty()))
    }

    /// Removes what a dead store left; `false` when it lives.
    fn bury(&self, lock_path: &Path) -> io::Result<bool> {
        let file = match File::open(lock_path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(true),
            Err(e) => return Err(e),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(e)) => return Err(e),
        }
        if let Some(name) = lock_path.file_stem() {
            remove_tree(&self.root.join("incoming").join(name))?;
        }
        remove_file(&lock_path.with_extension(VIEWS))?;
        remove_file(lock_path)?;
        Ok(true)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed now is taken for a dead store's later.
        let _ = fs::remove_dir_all(&self.incoming);
        let _ = fs::remove_file(self.views());
        let _ = fs::remove_file(&self.lock_path);
    }
}

/// Keeps others from counting stores meanwhile.
fn gate(root: &Path) -> io::Result<File> {
    let gate = private_file(&root.join(GATE))?;
    gate.lock()?;
    Ok(gate)
}

/// A new name that nobody has: 128 random bits.
pub(crate) fn random_id() -> io::Result<[u8; 16]> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(io::Error::other)?;
    Ok(id)
}

fn random_name() -> io::Result<String> {
    Ok(hex(&random_id()?))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(octets: &[u8]) -> String {
    let digit = |n: u8| char::from_digit(u32::from(n), 16).unwrap_or('0');
    octets.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

/// Makes a folder, and those above it, readable by its owner alone and on the disk when this returns.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = path.parent().filter(|p| !p.as_os_str().is_empty());
    if let Some(above) = above {
        make_folder(above)?;
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        other => other?,
    }
    sync_folder(path)?;
    sync_folder(above.unwrap_or_else(|| Path::new(".")))
}

/// Waits until the names in a folder are on the disk.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(path)?.sync_all()?;
    Ok(())
}

/// Opens a file for reading and writing, made when missing, readable by its owner alone.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Removes a file; that it is gone already is no error.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn remove_tree(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The name of the network file system that a folder is on, by the kernel's magic number (`linux/magic.h`).
#[cfg(target_os = "linux")]
fn network_file_system(path: &Path) -> Option<&'static str> {
    let magic = rustix::fs::statfs(path).ok()?.f_type;
    match u32::try_from(i128::from(magic) & 0xffff_ffff).ok()? {
        0x6969 => Some("NFS"),
        0x517b => Some("SMB"),
        0xff53_4d42 => Some("CIFS"),
        0xfe53_4d42 => Some("SMB2"),
        0x5346_414f => Some("AFS"),
        0x7375_7245 => Some("Coda"),
        0x564c => Some("NCP"),
        0x00c3_6400 => Some("Ceph"),
        0x0bd0_0bd0 => Some("Lustre"),
        _ => None,
    }
}

#[cfg(not(target_os = "linux"))]
fn network_file_system(_: &Path) -> Option<&'static str> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_the_folder() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(&dir.path().join("a/b")).unwrap();
        let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(folder.root()), 0o700);
        assert_eq!(mode(&folder.bodies()), 0o700);
        assert_eq!(mode(folder.incoming()), 0o700);
        assert_eq!(mode(&folder.database()), 0o600);
    }

    #[test]
    fn a_store_is_alive_until_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let one = Folder::open(dir.path()).unwrap();
        assert!(!one.others_alive().unwrap());
        let two = Folder::open(dir.path()).unwrap();
        assert!(one.others_alive().unwrap());
        drop(two);
        assert!(!one.others_alive().unwrap());
    }

    #[test]
    fn what_a_dead_store_was_being_sent_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        let (lock, left) = (dir.path().join("run/dead.lock"), dir.path().join("incoming/dead"));
        let views = dir.path().join("run/dead.views");
        private_file(&lock).unwrap();
        private_file(&views).unwrap();
        make_folder(&left).unwrap();
        private_file(&left.join("half a message")).unwrap();
        assert!(!folder.others_alive().unwrap());
        assert!(!lock.exists() && !left.exists() && !views.exists());
    }
}
