//! Processor time of this process. Only Linux shows it.

use std::{fs, time::Duration};

/// Processor time so far of all threads except those with this name, in hundredths of a second.
/// Threads that have ended are not counted.
pub(crate) fn time_but(name: &str) -> Option<Duration> {
    let mut ticks = 0;
    for thread in fs::read_dir("/proc/self/task").ok()? {
        let stat = fs::read_to_string(thread.ok()?.path().join("stat")).ok()?;
        let (of, spent) = ticks_of(&stat)?;
        if of != name {
            ticks += spent;
        }
    }
    Some(Duration::from_millis(10 * ticks))
}

/// Processor time of the whole process so far.
pub(crate) fn time() -> Option<Duration> {
    let (_, ticks) = ticks_of(&fs::read_to_string("/proc/self/stat").ok()?)?;
    Some(Duration::from_millis(10 * ticks))
}

/// A thread's or process's name and its time in user and in system mode.
fn ticks_of(stat: &str) -> Option<(&str, u64)> {
    let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
    // After the name: state, ten numbers, then the two times.
    let times = rest.split_whitespace().skip(11).take(2);
    Some((name, times.filter_map(|t| t.parse::<u64>().ok()).sum()))
}
