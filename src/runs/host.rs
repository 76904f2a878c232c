//! Which machine this is, so that a process id means something on a file system that several machines share.

/// The machine's name, as the kernel, the environment or `uname` gives it; "unknown" when none does.
pub fn host() -> String {
    let tidy = |name: String| Some(name.trim().to_owned()).filter(|n| !n.is_empty());
    let kernel = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let asked = || {
        let output = std::process::Command::new("uname")
            .arg("-n")
            .output()
            .ok()?;
        String::from_utf8(output.stdout).ok()
    };
    let named = || {
        std::env::var("HOSTNAME")
            .or_else(|_| std::env::var("COMPUTERNAME"))
            .ok()
    };
    kernel()
        .and_then(tidy)
        .or_else(|| named().and_then(tidy))
        .or_else(|| asked().and_then(tidy))
        .unwrap_or_else(|| "unknown".into())
}
