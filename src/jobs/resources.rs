//! What a job takes of its machine: processors and memory, from what the system tells of its process and those that this one
//! started, and graphics processors, from NVIDIA's management library where there is one. Only of processes on this machine.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use nvml_wrapper::Nvml;
use nvml_wrapper::enums::device::UsedGpuMemory;

/// Ticks of processor time a second. Linux counts in these for whoever asks, whatever its own clock does.
const TICKS: f64 = 100.0;

/// What a process and its descendants take.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Usage {
    /// Processors kept busy since the last look: 1.0 is one of them all the time. `None` at the first look.
    pub processors: Option<f64>,
    /// Resident memory, in bytes.
    pub memory: u64,
}

/// A graphics processor.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Gpu {
    /// Its number, from 0.
    pub index: u32,
    /// What it is.
    pub name: String,
    /// The share of the last moment in which it computed, for anybody.
    pub busy: Option<f64>,
    /// Its memory in use by anybody, in bytes.
    pub used: u64,
    /// Its memory.
    pub memory: u64,
    /// What each process has of it, where the system tells.
    pub processes: Vec<(u32, u64)>,
}

impl Gpu {
    /// What these processes have of its memory.
    pub fn of(&self, processes: &[u32]) -> u64 {
        let own = self.processes.iter();
        own.filter(|(pid, _)| processes.contains(pid))
            .map(|(_, bytes)| bytes)
            .sum()
    }
}

/// Whoever looks at processes again and again.
#[derive(Debug)]
pub struct Sampler {
    proc: PathBuf,
    last: HashMap<u32, Look>,
}

/// A look at a job.
#[derive(Debug)]
struct Look {
    at: Instant,
    /// The same since the machine was started, in ticks, where the system tells.
    uptime: Option<u64>,
    /// The ticks that each of its processes had.
    ticks: HashMap<u32, u64>,
}

/// What the system tells of one process.
struct Reading {
    ticks: u64,
    /// When it was started, in ticks since the machine was.
    started: Option<u64>,
    memory: u64,
}

impl Default for Sampler {
    fn default() -> Self {
        Self::at(Path::new("/proc"))
    }
}

impl Sampler {
    /// With the system's files on processes there.
    fn at(proc: &Path) -> Self {
        Self {
            proc: proc.to_owned(),
            last: HashMap::new(),
        }
    }

    /// Looks at the process `pid` and its descendants at the time `now`; their ids as well. `None` where the system tells nothing of
    /// it.
    pub fn sample(&mut self, pid: u32, now: Instant) -> Option<(Usage, Vec<u32>)> {
        let processes = self.tree(pid);
        // Before they are read: what starts in between is new at the next look.
        let uptime = self.uptime();
        let last = self.last.get(&pid);
        let (mut memory, mut spent) = (0, 0);
        let mut ticks = HashMap::new();
        for process in &processes {
            // One that ended in between takes nothing.
            let Some(reading) = self.read(*process) else {
                continue;
            };
            ticks.insert(*process, reading.ticks);
            memory += reading.memory;
            spent += last.map_or(0, |last| reading.since(last, *process));
        }
        if !ticks.contains_key(&pid) {
            self.last.remove(&pid);
            return None;
        }
        let processors = last.and_then(|last| {
            let seconds = now.checked_duration_since(last.at)?.as_secs_f64();
            (seconds > 0.0).then_some(spent as f64 / TICKS / seconds)
        });
        let at = now;
        self.last.insert(pid, Look { at, uptime, ticks });
        Some((Usage { processors, memory }, processes))
    }

    /// Forgets the jobs that are not among these.
    pub fn retain(&mut self, pids: &[u32]) {
        self.last.retain(|pid, _| pids.contains(pid));
    }

    /// A process and its descendants.
    fn tree(&self, pid: u32) -> Vec<u32> {
        let (mut found, mut seen) = (vec![pid], HashSet::from([pid]));
        let mut at = 0;
        while let Some(process) = found.get(at).copied() {
            at += 1;
            let tasks = fs::read_dir(self.proc.join(process.to_string()).join("task"));
            for task in tasks.into_iter().flatten().flatten() {
                let children = fs::read_to_string(task.path().join("children"));
                let children = children.unwrap_or_default();
                let children = children.split_whitespace().filter_map(|c| c.parse().ok());
                found.extend(children.filter(|child| seen.insert(*child)));
            }
        }
        found
    }

    /// For how long the machine runs, in ticks.
    fn uptime(&self) -> Option<u64> {
        let text = fs::read_to_string(self.proc.join("uptime")).ok()?;
        let seconds: f64 = text.split_whitespace().next()?.parse().ok()?;
        Some((seconds * TICKS) as u64)
    }

    /// What one process has taken so far.
    fn read(&self, pid: u32) -> Option<Reading> {
        let folder = self.proc.join(pid.to_string());
        let stat = fs::read_to_string(folder.join("stat")).ok()?;
        // The name in parentheses may hold anything.
        let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
        let user: u64 = fields.nth(11)?.parse().ok()?;
        let system: u64 = fields.next()?.parse().ok()?;
        let started = fields.nth(6).and_then(|field| field.parse().ok());
        let status = fs::read_to_string(folder.join("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        Some(Reading {
            ticks: user + system,
            started,
            memory: kilobytes.unwrap_or(0) * 1024,
        })
    }
}

impl Reading {
    /// The ticks that the process had since that look. One that was not seen then, and is older, was missed: it counts from now
    /// on, and not with its whole life.
    fn since(&self, last: &Look, process: u32) -> u64 {
        if let Some(before) = last.ticks.get(&process) {
            return self.ticks.saturating_sub(*before);
        }
        let is_new = |(started, then): (u64, u64)| started >= then;
        if self.started.zip(last.uptime).is_some_and(is_new) {
            self.ticks
        } else {
            0
        }
    }
}

/// The graphics processors of this machine, as far as their library is here; none otherwise.
#[derive(Debug)]
pub struct Gpus(Option<Nvml>);

impl Gpus {
    /// Looks for the library. It is loaded as the program runs; nothing of it is needed to build or start.
    pub fn find() -> Self {
        Self(Nvml::init().ok())
    }

    /// How they are. One that cannot be asked is left out.
    pub fn sample(&self) -> Vec<Gpu> {
        let Some(library) = &self.0 else {
            return Vec::new();
        };
        let count = library.device_count().unwrap_or(0);
        (0..count).filter_map(|i| look(library, i)).collect()
    }
}

fn look(library: &Nvml, index: u32) -> Option<Gpu> {
    let device = library.device_by_index(index).ok()?;
    let memory = device.memory_info().ok()?;
    let busy = device.utilization_rates().ok();
    let processes = device.running_compute_processes().unwrap_or_default();
    let of = |used: &UsedGpuMemory| match used {
        UsedGpuMemory::Used(bytes) => *bytes,
        UsedGpuMemory::Unavailable => 0,
    };
    Some(Gpu {
        index,
        name: device.name().unwrap_or_default(),
        busy: busy.map(|busy| f64::from(busy.gpu) / 100.0),
        used: memory.used,
        memory: memory.total,
        processes: processes
            .iter()
            .map(|process| (process.pid, of(&process.used_gpu_memory)))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A process that was started when the machine ran for a second.
    fn process(proc: &Path, pid: u32, ticks: u64, kilobytes: u64, children: &str) {
        let folder = proc.join(pid.to_string());
        let task = folder.join("task").join(pid.to_string());
        fs::create_dir_all(&task).unwrap();
        let stat =
            format!("{pid} (a) odd (name)) S 1 2 3 4 5 6 7 8 9 10 {ticks} 5 0 0 20 0 1 0 100 9");
        fs::write(folder.join("stat"), stat).unwrap();
        let status = format!("Name:\ta\nVmRSS:\t  {kilobytes} kB\nThreads:\t1\n");
        fs::write(folder.join("status"), status).unwrap();
        fs::write(task.join("children"), children).unwrap();
    }

    #[test]
    fn a_job_takes_what_its_process_and_all_that_this_one_started_take() {
        let proc = tempfile::tempdir().unwrap();
        process(proc.path(), 7, 100, 1000, "8 ");
        process(proc.path(), 8, 50, 200, "9");
        process(proc.path(), 9, 0, 1, "");
        let mut sampler = Sampler::at(proc.path());
        let start = Instant::now();
        let (usage, processes) = sampler.sample(7, start).unwrap();
        assert_eq!(processes, [7, 8, 9]);
        assert_eq!((usage.processors, usage.memory), (None, 1201 * 1024));
        process(proc.path(), 7, 200, 1000, "8 ");
        process(proc.path(), 8, 150, 200, "");
        let later = start + Duration::from_secs(2);
        let (usage, processes) = sampler.sample(7, later).unwrap();
        assert_eq!((usage.processors, processes.len()), (Some(1.0), 2));
        fs::remove_dir_all(proc.path().join("7")).unwrap();
        assert_eq!(sampler.sample(7, later), None);
    }

    #[test]
    fn a_process_that_one_look_missed_does_not_count_with_its_whole_life() {
        let proc = tempfile::tempdir().unwrap();
        let uptime = |text: &str| fs::write(proc.path().join("uptime"), text).unwrap();
        process(proc.path(), 7, 100, 1000, "");
        process(proc.path(), 8, 5000, 200, "");
        let mut sampler = Sampler::at(proc.path());
        let start = Instant::now();
        let mut busy = |children: &str, seconds: u64| {
            process(proc.path(), 7, 100, 1000, children);
            let now = start + Duration::from_secs(seconds);
            sampler.sample(7, now).unwrap().0.processors
        };
        uptime("0.50 0.10");
        assert_eq!(busy("", 0), None);
        uptime("10.50 0.10");
        // Started a second after the machine, and so after the first look.
        assert_eq!(busy("8", 10), Some(5.005));
        assert_eq!(busy("", 20), Some(0.0));
        assert_eq!(busy("8", 30), Some(0.0));
        process(proc.path(), 8, 6000, 200, "");
        assert_eq!(busy("8", 40), Some(1.0));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_very_process_has_memory_and_spends_time() {
        let mut sampler = Sampler::default();
        let (usage, _) = sampler.sample(std::process::id(), Instant::now()).unwrap();
        assert!(usage.memory > 1 << 20, "{usage:?}");
    }

    #[test]
    fn machines_without_graphics_processors_have_none() {
        assert!(Gpus(None).sample().is_empty());
        let gpu = Gpu {
            processes: vec![(1, 10), (2, 20), (3, 40)],
            ..Gpu::default()
        };
        assert_eq!(gpu.of(&[1, 3]), 50);
    }
}
