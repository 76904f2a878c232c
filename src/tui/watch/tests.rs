//! Watching runs without a thread: round by round, against folders.

use std::cell::RefCell;
use std::fs::File;
use std::sync::mpsc::RecvTimeoutError;

use super::*;
use crate::runs::{Ending, Event, Fact, Manifest};
use crate::tui::screens::jobs::{JobNews, JobWatch, LogWish, Page, Window};

struct Place {
    root: tempfile::TempDir,
    rounds: Rounds,
    now: Instant,
}

fn place() -> Place {
    let root = tempfile::tempdir().unwrap();
    let rounds = Rounds::new(root.path().to_owned());
    let now = Instant::now();
    Place { root, rounds, now }
}

impl Place {
    fn run(&self, title: &str) -> Folder {
        let manifest = Manifest::new("train", Vec::new(), title);
        Folder::create(self.root.path(), &manifest).unwrap()
    }

    /// A round some seconds later: its news, and whether there is more.
    fn round(&mut self, watch: &Watch) -> (Vec<Result<RunNews, String>>, bool) {
        self.now += LIST_UNSEEN;
        let news = RefCell::new(Vec::new());
        let more = self
            .rounds
            .round(watch, self.now, &|n| news.borrow_mut().push(n));
        (news.into_inner(), more)
    }
}

fn write(folder: &Folder, facts: impl IntoIterator<Item = Fact>) {
    use std::io::Write as _;
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.events())
        .unwrap();
    for (i, fact) in facts.into_iter().enumerate() {
        let time = i as f64;
        let event = Event { time, fact };
        writeln!(file, "{}", serde_json::to_string(&event).unwrap()).unwrap();
    }
}

fn metric(step: u64) -> Fact {
    Fact::Metrics {
        step,
        epoch: 0.0,
        values: BTreeMap::from([("train.loss".into(), 0.5)]),
    }
}

fn watch(name: &str) -> Watch {
    Watch {
        open: true,
        follow: vec![name.to_owned()],
        ..Watch::default()
    }
}

#[test]
fn nothing_is_said_while_nothing_changes() {
    let mut place = place();
    let (news, _) = place.round(&Watch::default());
    assert_eq!(news, [Ok(RunNews::Listed(Vec::new()))]);
    assert!(place.round(&Watch::default()).0.is_empty());
    let folder = place.run("a");
    let ended = Fact::Ended {
        ending: Ending::Done,
        reason: "all steps done".into(),
    };
    write(&folder, [metric(1), ended]);
    let (news, _) = place.round(&Watch::default());
    let Ok(RunNews::Listed(entries)) = &news[0] else {
        panic!("{news:?}");
    };
    assert_eq!((entries[0].title(), entries[0].state), ("a", State::Done));
    assert_eq!(entries[0].reason.as_deref(), Some("all steps done"));
    assert!(place.round(&Watch::default()).0.is_empty());
}

#[test]
fn a_long_run_comes_in_pieces_and_then_only_what_is_new() {
    let mut place = place();
    let folder = place.run("a");
    write(&folder, (1..=EVENTS as u64 + 10).map(metric));
    let watch = watch(&folder.name());
    let told = |news: &[Result<RunNews, String>]| {
        let count = |n: &Result<RunNews, String>| match n {
            Ok(RunNews::Told { events, anew, .. }) => Some((events.len(), *anew)),
            _ => None,
        };
        news.iter().find_map(count)
    };
    let (news, more) = place.round(&watch);
    let (first, anew) = told(&news).unwrap();
    assert!(anew && more && first <= EVENTS);
    let (mut rest, mut again) = (first, true);
    while again {
        let (news, more) = place.round(&watch);
        rest += told(&news).map_or(0, |(count, _)| count);
        again = more;
    }
    assert_eq!(rest, EVENTS + 10);
    write(&folder, [metric(9999)]);
    assert_eq!(told(&place.round(&watch).0), Some((1, false)));
    // Looked at again after something else: from the beginning.
    place.round(&Watch::default());
    assert!(told(&place.round(&watch).0).unwrap().1);
}

#[test]
fn the_end_of_a_log_is_read_when_it_has_changed() {
    let mut place = place();
    let folder = place.run("a");
    let watch = Watch {
        log: Some(folder.name()),
        ..watch(&folder.name())
    };
    place.round(&watch);
    assert!(place.round(&watch).0.is_empty());
    let text = format!("{}loading 1%\rloading 2%\nready\n", "old\n".repeat(30_000));
    std::fs::write(folder.log(), text).unwrap();
    let (news, _) = place.round(&watch);
    let Ok(RunNews::Log { lines, .. }) = &news[0] else {
        panic!("{news:?}");
    };
    assert_eq!(lines.len(), LOG_LINES);
    assert_eq!(lines[LOG_LINES - 2..], ["loading 2%", "ready"]);
}

#[test]
fn a_log_without_line_ends_shows_what_was_painted_last_and_one_that_cannot_be_read_says_why() {
    let mut place = place();
    let folder = place.run("a");
    let watch = Watch {
        log: Some(folder.name()),
        ..watch(&folder.name())
    };
    place.round(&watch);
    std::fs::write(folder.log(), format!("{}\r 99%", "\r 1%".repeat(200_000))).unwrap();
    let (news, _) = place.round(&watch);
    let Ok(RunNews::Log { lines, .. }) = &news[0] else {
        panic!("{news:?}");
    };
    assert_eq!(lines[..], [" 99%"]);
    std::fs::remove_file(folder.log()).unwrap();
    std::fs::create_dir(folder.log()).unwrap();
    let (news, _) = place.round(&watch);
    let why = news[0].as_ref().unwrap_err();
    assert!(why.contains("log.txt"), "{why}");
    let lines = vec![why.clone()];
    let run = folder.name();
    assert_eq!(news[1], Ok(RunNews::Log { run, lines }));
}

#[test]
fn what_is_wrong_is_said_once() {
    let mut place = place();
    std::fs::create_dir(place.root.path().join("torn")).unwrap();
    std::fs::write(place.root.path().join("torn/run.toml"), "verb = 3").unwrap();
    let (news, _) = place.round(&Watch::default());
    assert!(news[0].as_ref().unwrap_err().contains("torn"), "{news:?}");
    assert!(place.round(&Watch::default()).0.is_empty());
}

#[test]
fn the_thread_ends_with_its_handle_and_answers_at_once_to_something_else() {
    let place = place();
    let folder = place.run("a");
    let (tx, rx) = std::sync::mpsc::channel();
    let watcher = Watcher::start(place.root.path().to_owned(), move |news| {
        let _ = tx.send(news);
    })
    .unwrap();
    let next = || rx.recv_timeout(Duration::from_secs(20));
    assert!(matches!(next(), Ok(Ok(RunNews::Listed(_)))));
    watcher.watch(watch(&folder.name()));
    assert!(matches!(next(), Ok(Ok(RunNews::Told { .. }))));
    drop(watcher);
    // Nobody is left to speak: a thread that slept on would only be late.
    let end = std::iter::repeat_with(next).find_map(Result::err);
    assert_eq!(end, Some(RecvTimeoutError::Disconnected));
}

/// What the jobs screen looks at: the end of a run's log.
fn job(folder: &Folder, window: Window, search: &str) -> Watch {
    Watch {
        job: Some(JobWatch {
            run: folder.name(),
            turn: 0,
            log: LogWish {
                shard: None,
                window,
                search: search.into(),
            },
        }),
        ..Watch::default()
    }
}

fn page(news: &[Result<RunNews, String>]) -> Option<&Page> {
    news.iter().find_map(|news| match news {
        Ok(RunNews::Job(JobNews::Log(page))) => Some(page),
        _ => None,
    })
}

#[test]
fn a_window_of_a_job_s_log_is_read_when_it_or_the_log_has_changed() {
    let mut place = place();
    let folder = place.run("a");
    let end = job(&folder, Window::End(3), "");
    let (news, _) = place.round(&end);
    assert!(page(&news).unwrap().lines.is_empty());
    assert!(place.round(&end).0.is_empty());
    let text: Vec<String> = (0..1000).map(|i| format!("line {i}\n")).collect();
    std::fs::write(folder.log(), text.concat()).unwrap();
    let (news, _) = place.round(&end);
    let last = page(&news).unwrap();
    assert_eq!((last.first, last.all, last.whole), (Some(997), 1000, true));
    assert_eq!(last.lines, ["line 997", "line 998", "line 999"]);
    assert!(place.round(&end).0.is_empty());
    let within = job(&folder, Window::From(400, 2), "LINE 7");
    let (news, _) = place.round(&within);
    let found = page(&news).unwrap();
    assert_eq!(found.lines, ["line 400", "line 401"]);
    assert!(found.hits.is_empty(), "capital letters count");
    let (news, _) = place.round(&job(&folder, Window::From(400, 2), "line 7"));
    assert_eq!(page(&news).unwrap().hits.len(), 111);
}

#[test]
fn a_job_is_told_from_its_beginning_whenever_it_is_looked_at_anew() {
    let mut place = place();
    let (one, two) = (place.run("a"), place.run("b"));
    write(&one, (1..=3).map(metric));
    write(&two, (1..=5).map(metric));
    let mut told = |folder: &Folder| {
        let (news, _) = place.round(&job(folder, Window::End(1), ""));
        news.into_iter().find_map(|news| match news {
            Ok(RunNews::Job(JobNews::Told { run, events, anew })) => {
                Some((run, events.len(), anew))
            }
            _ => None,
        })
    };
    assert_eq!(told(&one), Some((one.name(), 3, true)));
    assert_eq!(told(&two), Some((two.name(), 5, true)));
    assert_eq!(told(&two), None);
    assert_eq!(told(&one), Some((one.name(), 3, true)));
}

#[test]
fn the_log_and_the_curves_are_told_again_after_the_mark_came_back() {
    let mut place = place();
    let folder = place.run("a");
    write(&folder, (1..=3).map(metric));
    std::fs::write(folder.log(), "one\ntwo\n").unwrap();
    let mut watch = job(&folder, Window::End(3), "");
    let mut told = |turn: u64| {
        watch.job.as_mut().unwrap().turn = turn;
        let (news, _) = place.round(&watch);
        let events = news.iter().find_map(|news| match news {
            Ok(RunNews::Job(JobNews::Told { events, anew, .. })) => Some((events.len(), *anew)),
            _ => None,
        });
        (events, page(&news).map(|page| page.lines.len()))
    };
    let all = (Some((3, true)), Some(2));
    assert_eq!(told(0), all);
    assert_eq!(told(0), (None, None));
    // The mark was elsewhere and back before this thread looked.
    assert_eq!(told(2), all);
}

#[test]
fn the_log_of_a_run_shows_whose_events_cannot_be_read() {
    let mut place = place();
    let folder = place.run("a");
    let watch = job(&folder, Window::End(3), "");
    place.round(&watch);
    let _ = std::fs::remove_file(folder.events());
    std::fs::create_dir(folder.events()).unwrap();
    std::fs::write(folder.log(), "no space is left\n").unwrap();
    let (news, _) = place.round(&watch);
    assert!(news.iter().any(Result::is_err), "{news:?}");
    assert_eq!(page(&news).unwrap().lines, ["no space is left"]);
}

/// A run of another program, with a state of so many steps.
fn theirs(place: &Place) -> (Folder, PathBuf) {
    let dir = place.root.path().join("theirs");
    std::fs::create_dir_all(&dir).unwrap();
    let file = dir.join("trainer_state.json");
    let state = r#"{"global_step": 20, "max_steps": 40, "log_history": [{"loss": 0.5, "step": 10, "epoch": 0.5}]}"#;
    std::fs::write(&file, state).unwrap();
    (Folder::at(dir), file)
}

#[test]
fn the_curves_of_another_program_are_told_wherever_a_run_is_looked_at() {
    let mut place = place();
    let (folder, _) = theirs(&place);
    let both = Watch {
        follow: vec![folder.name()],
        open: true,
        ..job(&folder, Window::End(1), "")
    };
    let (news, _) = place.round(&both);
    let measured = |events: &[Event]| {
        let is_metric = |event: &Event| matches!(event.fact, Fact::Metrics { .. });
        events.iter().any(is_metric)
    };
    let told = |news: &Result<RunNews, String>| match news {
        Ok(
            RunNews::Told { events, anew, .. } | RunNews::Job(JobNews::Told { events, anew, .. }),
        ) => *anew && measured(events),
        _ => false,
    };
    assert_eq!(news.iter().filter(|news| told(news)).count(), 2, "{news:?}");
}

#[test]
fn the_run_of_another_program_is_read_on_and_not_once_more() {
    let mut place = place();
    let (_, file) = theirs(&place);
    let done = |news: &[Result<RunNews, String>]| match &news[0] {
        Ok(RunNews::Listed(entries)) => entries[0].progress.as_ref().unwrap().done,
        other => panic!("{other:?}"),
    };
    assert_eq!(done(&place.round(&Watch::default()).0), 20);
    // Whoever read it once more would not understand it.
    let time = file.metadata().unwrap().modified().unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, "{").unwrap();
    let opened = File::options().write(true).open(&file).unwrap();
    opened.set_modified(time).unwrap();
    assert!(place.round(&Watch::default()).0.is_empty());
    std::fs::write(&file, text.replace("20", "30")).unwrap();
    let opened = File::options().write(true).open(&file).unwrap();
    opened.set_modified(time + Duration::from_secs(1)).unwrap();
    assert_eq!(done(&place.round(&Watch::default()).0), 30);
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_live_run_on_this_machine_takes_is_told() {
    let mut place = place();
    let folder = place.run("a");
    // This process works on it.
    let writer = folder.take_up().unwrap();
    let (news, _) = place.round(&job(&folder, Window::End(1), ""));
    let taken = news.iter().find_map(|news| match news {
        Ok(RunNews::Job(JobNews::Taken(taken, _))) => Some(taken),
        _ => None,
    });
    let (name, taken) = &taken.unwrap()[0];
    assert_eq!(*name, folder.name());
    assert!(taken.usage.memory > 1 << 20);
    drop(writer);
    let ended = Fact::Ended {
        ending: Ending::Done,
        reason: "all steps done".into(),
    };
    write(&folder, [ended]);
    let mut after = || {
        let (news, _) = place.round(&job(&folder, Window::End(1), ""));
        news.into_iter().find_map(|news| match news {
            Ok(RunNews::Job(JobNews::Taken(taken, _))) => Some(taken),
            _ => None,
        })
    };
    assert_eq!(after(), Some(Vec::new()), "nothing is taken any more");
    assert_eq!(after(), None, "and that is said once");
}
