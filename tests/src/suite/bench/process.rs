//! Processor time and memory, of the server's processes and of the machine, as Linux tells them in `/proc`.
//!
//! Elsewhere, and where a file cannot be read, there is no figure.

use std::collections::HashMap;
use std::fs;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::time::{ClockId, clock_gettime};

/// Processes with all that they started; clones are the same. A restart gives a server other ones.
#[derive(Debug, Clone, Default)]
pub struct Processes {
    roots: Arc<Mutex<Vec<u32>>>,
}

/// Memory at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Memory {
    /// Kilobytes (1,024 octets), shared pages by their share.
    pub(super) kilobytes: f64,
    /// How many processes there were.
    pub(super) processes: usize,
}

impl Processes {
    /// These processes and their children.
    pub fn of(roots: Vec<u32>) -> Self {
        let processes = Self::default();
        processes.replace(roots);
        processes
    }

    /// Whether none is known.
    pub(super) fn is_empty(&self) -> bool {
        self.roots().is_empty()
    }

    /// Those that are known, without their children.
    pub(super) fn named(&self) -> Vec<u32> {
        self.roots().clone()
    }

    /// These are it instead.
    pub(super) fn replace(&self, roots: Vec<u32>) {
        *self.roots() = roots;
    }

    /// Forgets those that are not there; whether there were any.
    pub(super) fn forget_missing(&self) -> bool {
        let missing = self.missing();
        self.roots().retain(|pid| !missing.contains(pid));
        !missing.is_empty()
    }

    fn roots(&self) -> MutexGuard<'_, Vec<u32>> {
        self.roots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those that are not there.
    pub fn missing(&self) -> Vec<u32> {
        let gone = |pid: &&u32| !fs::exists(format!("/proc/{pid}")).unwrap_or(false);
        self.named().iter().filter(gone).copied().collect()
    }

    fn all(&self) -> Vec<u32> {
        let mut next = self.named();
        if next.is_empty() {
            return next;
        }
        let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
            if let Some(pid) = pid
                && let Some(parent) = stat(pid).and_then(|fields| fields.get(1)?.parse().ok())
            {
                children.entry(parent).or_default().push(pid);
            }
        }
        let mut all = Vec::new();
        while let Some(pid) = next.pop() {
            all.push(pid);
            next.extend(children.remove(&pid).unwrap_or_default());
        }
        all
    }

    /// What they take of the memory now.
    pub(super) fn memory(&self) -> Option<Memory> {
        let mut memory = Memory::default();
        for pid in self.all() {
            if let Ok(text) = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) {
                memory.processes += 1;
                memory.kilobytes += field(&text, "Pss:").unwrap_or_default();
            }
        }
        (memory.processes > 0).then_some(memory)
    }

    /// The most they take of the memory now: see [`Processes::memory`]. Nothing is told where it is not known.
    pub(super) fn kilobytes(&self) -> Option<f64> {
        self.memory().map(|memory| memory.kilobytes)
    }

    /// Seconds of processor time that they used, with those of children that have ended.
    pub(super) fn seconds(&self) -> Option<f64> {
        let mut found = false;
        let mut ticks = 0.0;
        for pid in self.all() {
            let Some(fields) = stat(pid) else { continue };
            found = true;
            // User and system time, their own and that of children they waited for.
            let times = fields.iter().skip(11).take(4);
            ticks += times.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>();
        }
        found.then(|| ticks / rustix::param::clock_ticks_per_second() as f64)
    }
}

/// The fields of a process's `stat` behind its name: state, parent, …
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

/// The number of a line such as `Pss:  120 kB`.
fn field(text: &str, name: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Seconds of processor time that this process used.
pub(super) fn own_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Processor time of the whole machine, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Machine {
    all: f64,
    idle: f64,
}

impl Machine {
    /// Up to now.
    pub(super) fn now() -> Option<Self> {
        Self::read(&fs::read_to_string("/proc/stat").ok()?)
    }

    fn read(text: &str) -> Option<Self> {
        let line = text.lines().next()?.strip_prefix("cpu ")?;
        let ticks: Vec<f64> = line.split_whitespace().filter_map(|ticks| ticks.parse().ok()).collect();
        let second = rustix::param::clock_ticks_per_second() as f64;
        let sum = |from, count| ticks.iter().skip(from).take(count).sum::<f64>() / second;
        // user nice system idle iowait irq softirq steal
        Some(Self {
            all: sum(0, 8),
            idle: sum(3, 2),
        })
    }

    /// The share of the processors that others used since then, where `ours` seconds were the server's and our own. Too short
    /// a time tells nothing.
    pub(super) fn share_of_others(self, since: Self, ours: f64) -> Option<f64> {
        let all = self.all - since.all;
        let used = all - (self.idle - since.idle);
        (all > 0.3).then(|| ((used - ours) / all).max(0.0))
    }
}

/// Kilobytes that could be had without swapping.
pub(super) fn available_kilobytes() -> Option<f64> {
    field(&fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")
}

/// The load averages, as the system writes them.
pub(super) fn load() -> Option<String> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    let averages: Vec<&str> = text.split_whitespace().take(3).collect();
    Some(averages.join(" "))
}

/// Lets this process open as many connections as the system allows it at most.
pub(super) fn open_many_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where it is refused, the scenario that needs more says so.
    let _ = setrlimit(Resource::Nofile, limit);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_seen_with_its_children() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let own = Processes::of(vec![std::process::id()]);
        let all = own.all();
        assert!(
            all.contains(&std::process::id()) && all.contains(&child.id()),
            "{all:?}"
        );
        assert_eq!(own.missing(), Vec::<u32>::new());
        assert!(own.memory().unwrap().kilobytes > 0.0);
        assert!(own.seconds().is_some() && own_seconds() > 0.0);
        child.kill().unwrap();
        child.wait().unwrap();
        let gone = Processes::of(vec![child.id()]);
        assert_eq!(
            (gone.missing(), gone.memory(), gone.seconds()),
            (vec![child.id()], None, None)
        );
        assert!(gone.forget_missing() && gone.is_empty());
    }

    #[test]
    fn what_others_use_is_what_is_left() {
        let second = rustix::param::clock_ticks_per_second();
        let ticks = |user: u64, idle: u64| format!("cpu  {} 0 0 {} 0 0 0 0 0 0\ncpu0 1", user * second, idle * second);
        let machine = |user, idle| Machine::read(&ticks(user, idle)).unwrap();
        assert_eq!(machine(16, 14).share_of_others(machine(10, 10), 5.0), Some(0.1));
        assert_eq!(machine(16, 14).share_of_others(machine(10, 10), 7.0), Some(0.0));
        assert_eq!(machine(10, 10).share_of_others(machine(10, 10), 0.0), None);
    }
}
