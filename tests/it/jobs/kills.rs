//! `erw score` at full size: twenty thousand generated candidates and the demo's model, killed at random instants. It scores them
//! twice and takes from a quarter of an hour to an hour, so it is run only where asked for:
//!
//! ```sh
//! cargo test --test it kills_at_full_size -- --ignored --nocapture
//! ```
//!
//! `ERW_KILL_GROUPS` has it make fewer groups, `ERW_KILL_SEED` draws other instants.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use erw::data::Workspace;
use erw::runs::{State, glance};
use serde_json::Value;

use super::User;
use super::scores::{only_run, score, scores};

/// So many groups, of four to six candidates each, are 20,000 candidates and more.
const GROUPS: u32 = 4000;

/// How often it is killed.
const KILLS: u32 = 10;

/// A number that can be said from outside.
fn asked(name: &str, otherwise: u32) -> u32 {
    let said = std::env::var(name).ok();
    said.map_or(otherwise, |text| text.parse().unwrap())
}

/// Steele, Lea and Flood's splitmix64: what is drawn is the same for a seed.
struct Chance(u64);

impl Chance {
    /// Even in 0..1.
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn stored(dir: &Path) -> u64 {
    let models = Workspace::open(dir).unwrap().fingerprints().unwrap();
    models.iter().map(|model| model.scores as u64).sum()
}

/// The same; of a workspace that somebody else has in hand, none.
fn stored_if_there(dir: &Path) -> u64 {
    let models = Workspace::open(dir).and_then(|workspace| workspace.fingerprints());
    models.map_or(0, |models| {
        models.iter().map(|model| model.scores as u64).sum()
    })
}

/// Generates the groups, and has them in a workspace each of these names.
fn workspaces(user: &User, groups: u32, names: [&str; 2]) -> [std::path::PathBuf; 2] {
    let photos = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data");
    let set = user.path("set");
    let groups = groups.to_string();
    let (photos, set) = (photos.to_str().unwrap(), set.to_str().unwrap());
    let options = ["--groups", &groups, "--long-side", "64", "--no-masks"];
    let made = user.erw(&[&["synth", set, "--photos", photos], &options[..]].concat());
    assert!(made.status.success(), "{made:?}");
    let file = format!("{set}/groups.jsonl");
    names.map(|name| {
        let dir = user.path(name);
        let imported = user.erw(&["import", &file, "-w", dir.to_str().unwrap()]);
        assert!(imported.status.success(), "{imported:?}");
        dir
    })
}

#[test]
#[ignore = "it scores 20,000 candidates twice; see the head of the file"]
#[allow(clippy::print_stderr, reason = "whoever asks for it wants its figures")]
fn kills_at_full_size() {
    let user = User::new();
    let groups = asked("ERW_KILL_GROUPS", GROUPS);
    let seed = asked("ERW_KILL_SEED", 1);
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/model");
    let [whole, killed] = workspaces(&user, groups, ["whole", "killed"]);
    let began = Instant::now();
    let answer = user.json(&score(&whole, &model, &[]));
    let undisturbed = began.elapsed();
    let candidates = answer["summary"]["candidates"].as_u64().unwrap();
    eprintln!("{groups} groups, {candidates} candidates; undisturbed: {undisturbed:.1?}");
    let mut chance = Chance(seed.into());
    for kill in 1..=KILLS {
        let runs = killed.join("runs");
        let mut command = match only_run(&runs) {
            None => user.command(&score(&killed, &model, &[])),
            Some(run) => user.command(&["resume", run.path().to_str().unwrap()]),
        };
        let out = Stdio::null;
        let mut child = command.stdout(out()).stderr(out()).spawn().unwrap();
        // All lives together are two thirds of an undisturbed run on average. Should the machine have become faster since, a life ends
        // with its share of the candidates, so that the end does not come before the last kill.
        let most = candidates * u64::from(kill) / u64::from(KILLS + 1);
        let life = undisturbed.mul_f64(2.0 * chance.share() / f64::from(KILLS + 5));
        let end = Instant::now() + life;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            std::thread::park_timeout(left.min(Duration::from_millis(100)));
            assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
            if stored_if_there(&killed) >= most {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let there = stored(&killed);
        eprintln!("kill {kill} after {life:.2?}: {there} scores");
    }
    let run = only_run(&killed.join("runs")).unwrap();
    assert_eq!(glance(&run).unwrap().1, State::Failed);
    let before = stored(&killed);
    let resumed = user.json(&["resume", run.path().to_str().unwrap()]);
    assert_eq!(resumed["state"], "done");
    // What is equal in content is scored once and known for the others.
    let known = resumed["summary"]["stored"].as_u64().unwrap();
    let computed = resumed["summary"]["computed"].as_u64().unwrap();
    assert!(
        known >= before && known + computed == candidates,
        "{resumed}"
    );
    let (expected, found) = (scores(&whole), scores(&killed));
    assert_eq!(expected.len() as u64, candidates);
    assert!(found == expected, "the scores differ");
    let report = std::fs::read(run.path().join("report.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["aggregate"]["scores"], candidates);
    eprintln!("{KILLS} kills: all {candidates} candidates have the bits of the undisturbed run");
}
