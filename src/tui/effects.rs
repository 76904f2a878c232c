//! Carrying effects out: reading the store on blocking threads, ranking on its own, pictures and scores through their
//! handles. Everything answers through the one inbox; nothing here touches the app.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;

use crate::config::{Config, SlurmSettings};
use crate::domain::GroupId;
use crate::failures::{analysis, export};
use crate::jobs::Launchers;
use crate::model::registry::Registry;
use crate::runs::Folder;
use crate::workbench;

use super::judgement::Judgement;
use super::library::{Library, Record, Scoring};
use super::msg::{Effect, Look, Msg, Work};
use super::probing::Prober;
use super::rank::{PIECE, Ranker};
use super::reports;
use super::screens::annotate::{self, AnnotateNews};
use super::screens::bench::Wanted;
use super::screens::curate;
use super::screens::failures::FailureNews;
use super::screens::jobs::{self, JobNews, Offers};
use super::screens::train::{RunNews, Watch};
use super::turns::Turns;
use super::watch::{Tender, Watcher};
use super::widgets::image::{Graphics, Pictures};
use super::work;

/// A group shown within this time of the one before waits, so that a held key scores only where it comes to rest. Longer than
/// the pause between repeats of a held key (30 ms at the usual rate), short of what one notices after a single press. The
/// pictures have such a rest of their own.
const REST: Duration = Duration::from_millis(60);

/// Starts the scorer; called once, after the first frame.
pub(crate) type StartScoring = Box<dyn FnOnce(UnboundedSender<Msg>) -> Arc<dyn Scoring>>;

/// The hands of the app.
pub(crate) struct Runner {
    library: Arc<dyn Library>,
    inbox: UnboundedSender<Msg>,
    ranker: Ranker,
    pictures: Option<Pictures>,
    start_scoring: Option<StartScoring>,
    scoring: Option<Arc<dyn Scoring>>,
    prober: Prober,
    look: Rest,
    watcher: Option<(Watcher, Option<Tender>)>,
    runs: PathBuf,
    slurm: SlurmSettings,
    curating: Turns,
}

/// What is looked at now, and when that last changed.
#[derive(Default)]
struct Rest {
    latest: Look,
    moved: Option<Instant>,
    round: u64,
    scored: Option<GroupId>,
}

impl Runner {
    /// Hands that answer to `inbox`; with where runs are, and how they are put to Slurm.
    pub(crate) fn new(
        library: Arc<dyn Library>,
        (runs, slurm): (PathBuf, SlurmSettings),
        inbox: UnboundedSender<Msg>,
        start_scoring: Option<StartScoring>,
    ) -> std::io::Result<Self> {
        let answers = inbox.clone();
        let asked = Arc::clone(&library);
        let seek = move |query: &_, model: Option<&str>, stop: &dyn Fn() -> bool| {
            asked.matching(query, model, stop)
        };
        let ranker = Ranker::start(Box::new(seek), move |ranking| {
            let _ = answers.send(Msg::Ranked(ranking));
        })?;
        Ok(Self {
            library,
            inbox,
            ranker,
            pictures: None,
            start_scoring,
            scoring: None,
            prober: Prober::default(),
            look: Rest::default(),
            watcher: None,
            runs,
            slurm,
            curating: Turns::default(),
        })
    }

    /// The pictures, once it is known how to draw them.
    pub(crate) fn pictures(&self) -> Option<&Pictures> {
        self.pictures.as_ref()
    }

    /// Starts what may only start after the first frame.
    pub(crate) fn first_frame_is_out(&mut self) {
        if let Some(start) = self.start_scoring.take() {
            self.scoring = Some(start(self.inbox.clone()));
            self.score();
        }
    }

    /// Carries one effect out. Repainting and suspending are the loop's.
    pub(crate) fn run(&mut self, effect: Effect) {
        match effect {
            Effect::LoadRows { round, fingerprint } => {
                // What could not be shown may have come right in the meantime.
                if let Some(pictures) = &self.pictures {
                    self.look
                        .latest
                        .view
                        .iter()
                        .for_each(|want| pictures.retry(&want.image));
                }
                self.blocking(move |library, inbox| {
                    read_rows(library, inbox, round, fingerprint.as_deref())
                });
            }
            Effect::LoadGroup { id, fingerprint } => self.blocking(move |library, inbox| {
                let record = Record::read(library, id, fingerprint.as_deref())?;
                let _ = inbox.send(Msg::Loaded(id, record.map(Box::new)));
                Ok(())
            }),
            Effect::Judge(id, record) => self.blocking(move |_, inbox| {
                let judgement = Judgement::of(&record.group, &record.rewards);
                let _ = inbox.send(Msg::Judged(id, Box::new(judgement)));
                Ok(())
            }),
            Effect::LoadScale(fingerprint) => self.blocking(move |library, inbox| {
                let scale = library.score_scale(&fingerprint)?;
                let _ = inbox.send(Msg::Scale(scale.into()));
                Ok(())
            }),
            Effect::Rank(request) => self.ranker.request(request),
            Effect::Find(sought, keys) => self.blocking(move |library, inbox| {
                let places = library.places(&keys)?;
                let places = keys.into_iter().zip(places).collect();
                let _ = inbox.send(Msg::Found(sought, places));
                Ok(())
            }),
            Effect::ReadFailures(run) => self.read_failures(run),
            Effect::ExportFailures(run) => self.export_failures(&run),
            Effect::Curate(wanted) => self.curate(wanted),
            Effect::Keep {
                name,
                origin,
                candidates,
            } => self.blocking(move |library, inbox| {
                library.keep(&name, &origin, &candidates)?;
                let n = candidates.len();
                let words = format!("kept as the selection '{name}': {n} candidates");
                let _ = inbox.send(Msg::Worked(words, None));
                Ok(())
            }),
            Effect::Tag { candidate, tag } => self.blocking(move |library, inbox| {
                let words = if library.tag(candidate, &tag)? {
                    format!("tagged '{tag}'")
                } else {
                    format!("'{tag}' taken off")
                };
                let _ = inbox.send(Msg::Worked(words, None));
                Ok(())
            }),
            Effect::Probe(wish) => {
                let scoring = self.scoring.as_ref().map(Arc::downgrade);
                let library = Arc::clone(&self.library);
                self.prober
                    .begin(wish, library, scoring, self.inbox.clone());
            }
            Effect::StopProbe => {
                self.prober.stop();
                if let Some(scoring) = &self.scoring {
                    scoring.stop_rating();
                }
            }
            Effect::Heard { job, index, result } => self.prober.heard(job, index, result),
            Effect::Watch(watch) => self.watch(watch),
            Effect::Bench(wanted) => self.bench(wanted),
            Effect::Annotate(wanted) => self.annotate(wanted),
            Effect::Agree(model) => self.blocking(move |library, inbox| {
                let report = library.agreement(model).map(Box::new);
                let _ = inbox.send(Msg::Agreed(report));
                Ok(())
            }),
            Effect::Work(work) => self.work(work),
            Effect::Jobs(wanted) => self.jobs(wanted),
            Effect::Look(look) => self.look(look),
            Effect::Repicture(graphics) => {
                self.repicture(graphics);
            }
            Effect::Repaint | Effect::Suspend | Effect::Notify(_) => {}
        }
    }

    /// The pause after a held key is over, unless another look came since.
    pub(crate) fn rested(&mut self, round: u64) {
        if round == self.look.round {
            self.score();
        }
    }

    fn look(&mut self, look: Look) {
        if let Some(pictures) = &self.pictures {
            pictures.request(look.view.clone(), look.prefetch.clone());
        }
        let moved = look.group != self.look.latest.group || look.next != self.look.latest.next;
        self.look.latest = look;
        if !moved {
            return;
        }
        let now = Instant::now();
        let held = self.look.moved.is_some_and(|last| now - last < REST);
        self.look.moved = Some(now);
        self.look.round += 1;
        if !held {
            self.score();
            return;
        }
        let (round, inbox) = (self.look.round, self.inbox.clone());
        tokio::spawn(async move {
            tokio::time::sleep(REST).await;
            let _ = inbox.send(Msg::Rested(round));
        });
    }

    /// Starts, stops or resumes a run; what comes of it is seen in its folder.
    fn work(&self, work: Work) {
        let (folders, inbox) = (self.folders(), self.inbox.clone());
        let ticket = match &work {
            Work::Launch { ticket, .. } => Some(*ticket),
            _ => None,
        };
        let is_job = ticket.is_some() || matches!(work, Work::Retry { .. });
        tokio::task::spawn_blocking(move || {
            let job = |news| Msg::Runs(RunNews::Job(news));
            let _ = inbox.send(match work::carry_out(&folders, work) {
                Ok((words, run)) if is_job => job(JobNews::Launched { ticket, words, run }),
                Ok((words, run)) => Msg::Worked(words, run),
                Err(why) if is_job => job(JobNews::Refused { ticket, why }),
                Err(why) => Msg::Troubled(why),
            });
        });
    }

    /// Finds something out for the jobs screen.
    fn jobs(&self, wanted: jobs::Wanted) {
        let (runs, inbox) = (self.runs.clone(), self.inbox.clone());
        tokio::task::spawn_blocking(move || {
            let news = match wanted {
                jobs::Wanted::Weigh(run) => {
                    let weight = Folder::at(runs.join(&run)).weight();
                    JobNews::Weighed(run, weight)
                }
                jobs::Wanted::Offers => JobNews::Offers(offers()),
            };
            let _ = inbox.send(Msg::Runs(RunNews::Job(news)));
        });
    }

    /// Reads what finished benchmarks left behind.
    fn bench(&self, wanted: Wanted) {
        let (runs, inbox) = (self.runs.clone(), self.inbox.clone());
        tokio::task::spawn_blocking(move || {
            reports::read(&runs, wanted, &|news| {
                let _ = inbox.send(Msg::Bench(news));
            });
        });
    }

    /// Stores what is said, at once and in order; the answer comes when it is on the disk.
    fn annotate(&self, wanted: annotate::Wanted) {
        self.blocking(move |library, inbox| {
            let news = match wanted {
                annotate::Wanted::Queue(settings, fingerprint) => {
                    AnnotateNews::Queue(library.queue(&settings, fingerprint.as_deref()))
                }
                annotate::Wanted::Say {
                    annotator,
                    session,
                    group,
                    said,
                } => {
                    AnnotateNews::Said(group, library.annotate(&annotator, &session, group, &said))
                }
                annotate::Wanted::Undo(annotator) => AnnotateNews::Undone(library.undo(&annotator)),
            };
            let _ = inbox.send(Msg::Annotate(news));
            Ok(())
        });
    }

    fn folders(&self) -> work::Folders {
        work::Folders {
            workspace: self.library.root().to_owned(),
            runs: self.runs.clone(),
            slurm: self.slurm.clone(),
        }
    }

    fn watch(&mut self, watch: Watch) {
        if self.watcher.is_none() {
            let inbox = self.inbox.clone();
            let answer = move |news| {
                let _ = inbox.send(match news {
                    Ok(news) => Msg::Runs(news),
                    Err(why) => Msg::Troubled(why),
                });
            };
            let inbox = self.inbox.clone();
            let complain = move |why| {
                let _ = inbox.send(Msg::Troubled(why));
            };
            let launchers = Launchers::new(&self.runs, &self.slurm);
            // Without it the runs show all the same.
            let tender = Tender::start(self.runs.clone(), launchers, complain).ok();
            match Watcher::start(self.runs.clone(), answer) {
                Ok(watcher) => self.watcher = Some((watcher, tender)),
                Err(why) => {
                    let why = format!("runs cannot be watched: {why}");
                    let _ = self.inbox.send(Msg::Troubled(why));
                }
            }
        }
        if let Some((watcher, _)) = &self.watcher {
            watcher.watch(watch);
        }
    }

    /// Has the group on screen scored, and those around it after it.
    fn score(&mut self) {
        let Some(scoring) = &self.scoring else {
            return;
        };
        if let Some(group) = self.look.latest.group
            && self.look.scored != Some(group)
        {
            self.look.scored = Some(group);
            scoring.show(group);
        }
        scoring.prefetch(self.look.latest.next.clone());
    }

    /// Has pictures drawn this way from here on.
    pub(crate) fn repicture(&mut self, graphics: Graphics) -> &Pictures {
        let (inbox, root) = (self.inbox.clone(), self.library.root().to_owned());
        let lent = self.prober.lent();
        let pictures = self.pictures.get_or_insert_with(|| {
            Pictures::new(root, lent, graphics, move || {
                let _ = inbox.send(Msg::Pictures);
            })
        });
        pictures.set_graphics(graphics);
        let look = &self.look.latest;
        pictures.request(look.view.clone(), look.prefetch.clone());
        pictures
    }

    /// Work that may take longer than a frame.
    fn read_failures(&self, run: String) {
        let (folder, inbox) = (self.runs.join(&run), self.inbox.clone());
        tokio::task::spawn_blocking(move || {
            let report = analysis::run::read_report(&folder);
            let report = report.map(Box::new).map_err(|e| e.to_string());
            let _ = inbox.send(Msg::Failures(FailureNews { run, report }));
        });
    }

    fn export_failures(&self, run: &str) {
        let folder = Folder::at(self.runs.join(run));
        self.blocking(move |_, inbox| {
            let written = export::write_beside(&folder).map_err(|e| e.to_string())?;
            let paths: Vec<_> = written.iter().map(|p| p.display().to_string()).collect();
            let words = format!("written: {}", paths.join(" and "));
            let _ = inbox.send(Msg::Worked(words, None));
            Ok(())
        });
    }

    /// What is said and saved keeps its order; what is only read and ranked does not wait for it.
    fn curate(&mut self, wanted: curate::Wanted) {
        let (library, inbox) = (Arc::clone(&self.library), self.inbox.clone());
        let stores = matches!(wanted, curate::Wanted::Judge(..) | curate::Wanted::Save(_));
        let work = move || {
            let (news, words) = match library.curate(wanted) {
                Ok(done) => (done.news.map(Msg::Curate), done.words),
                Err(why) => (Some(Msg::Failed(why)), None),
            };
            let words = words.map(|words| Msg::Worked(words, None));
            for msg in news.into_iter().chain(words) {
                let _ = inbox.send(msg);
            }
        };
        if stores {
            self.curating.then(work);
        } else {
            tokio::task::spawn_blocking(work);
        }
    }

    fn blocking(
        &self,
        work: impl FnOnce(&dyn Library, &UnboundedSender<Msg>) -> Result<(), String> + Send + 'static,
    ) {
        let (library, inbox) = (Arc::clone(&self.library), self.inbox.clone());
        tokio::task::spawn_blocking(move || {
            if let Err(message) = work(library.as_ref(), &inbox) {
                let _ = inbox.send(Msg::Failed(message));
            }
        });
    }
}

/// What can be chosen in the dialogs. What cannot be read is not offered; the verb itself says what is wrong with it.
fn offers() -> Offers {
    let registry = workbench::registry().ok();
    let named = registry.iter().flat_map(Registry::models);
    let named = named.map(|model| model.name.clone());
    Offers {
        models: [workbench::DEMO.to_owned()]
            .into_iter()
            .chain(named)
            .collect(),
        launcher: Config::load().ok().and_then(|config| config.launcher),
    }
}

/// Reads the list piece by piece, the count first.
fn read_rows(
    library: &dyn Library,
    inbox: &UnboundedSender<Msg>,
    round: u64,
    fingerprint: Option<&str>,
) -> Result<(), String> {
    let _ = inbox.send(Msg::Counted(library.group_count()?));
    let (mut start, mut after) = (0, None);
    loop {
        let rows = library.summaries(after, PIECE, fingerprint)?;
        let count = rows.len();
        after = rows.last().map(|row| row.id);
        let last = count < PIECE;
        let sent = inbox.send(Msg::Rows {
            round,
            start,
            rows,
            last,
        });
        if last || sent.is_err() {
            return Ok(());
        }
        start += count;
    }
}
