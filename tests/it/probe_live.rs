//! How soon the points of a live probe come, with the demo's model and on the thread that the workbench has for it. Not part of a
//! plain run; by `cargo test --test it probe_live -- --ignored --nocapture`, which fails if the first points miss their budget.

use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use erw::data::{Workspace, images};
use erw::domain::Reward;
use erw::failures::occlusion::{Occlusion, Plan};
use erw::failures::probe::{Factor, Material};
use erw::model::{LoadOptions, Picture};
use erw::score::{Ask, LiveEvent, LiveScorer, RateJob};

/// Within this the first points are to be there.
const BUDGET: Duration = Duration::from_secs(1);

fn picture(workspace: &Workspace, image: &erw::domain::ImageRef) -> Picture {
    let bytes = images::read(workspace.root(), image).unwrap();
    Picture {
        hash: images::content_hash(&bytes),
        bytes: bytes.into(),
    }
}

/// A live scorer as the workbench has it: a group on screen and scored, others ahead.
struct Rig {
    live: LiveScorer,
    events: Receiver<LiveEvent>,
    source: Picture,
    edit: Picture,
    instruction: String,
}

impl Rig {
    fn new(root: &Path) -> Self {
        let workspace = Workspace::demo_in(root).unwrap();
        let rows = workspace.summaries(None, 20, None).unwrap();
        let group = workspace.group(rows[0].id).unwrap().unwrap();
        let (tell, events) = channel();
        let hear = move |event| {
            let _ = tell.send(event);
        };
        let model = workspace.own_model().unwrap();
        let live = LiveScorer::start(model, LoadOptions::default(), workspace.clone(), hear);
        let until =
            |is: &dyn Fn(&LiveEvent) -> bool| events.iter().find(|event| is(event)).unwrap();
        until(&|event| matches!(event, LiveEvent::Ready(_) | LiveEvent::LoadFailed(_)));
        live.show(group.id);
        until(&|event| matches!(event, LiveEvent::Finished(_)));
        live.prefetch(rows.iter().map(|row| row.id).collect());
        Self {
            live,
            events,
            source: picture(&workspace, &group.source),
            edit: picture(&workspace, &group.candidates[0].image),
            instruction: group.instruction,
        }
    }

    fn material(&self) -> Material {
        let (source, edit) = (self.source.clone(), self.edit.clone());
        Material::new(source, edit, self.instruction.clone(), 1).unwrap()
    }

    /// Has what `make` hands over rated beside, and hears of each.
    fn rated(
        &self,
        id: u64,
        make: impl FnOnce(&mut dyn FnMut(Ask) -> bool) + Send,
        heard: &mut dyn FnMut(usize, Reward),
    ) {
        let feed = self.live.rate(RateJob {
            id,
            source: self.source.clone(),
        });
        thread::scope(|scope| {
            scope.spawn(move || make(&mut |ask| feed.put(ask).is_continue()));
            for event in &self.events {
                match event {
                    LiveEvent::Rated { job, index, result } if job == id => {
                        heard(index, result.unwrap());
                    }
                    LiveEvent::RateDone { job } if job == id => break,
                    _ => {}
                }
            }
        });
    }

    /// When the points of a factor came.
    fn probed(&self, id: u64, factor: Factor) -> Vec<Duration> {
        let (start, mut came) = (Instant::now(), Vec::new());
        let material = self.material();
        let make = move |put: &mut dyn FnMut(Ask) -> bool| {
            let material = if factor.needs_map() {
                material.mapped()
            } else {
                material
            };
            for (index, variant) in material.variants(factor, &factor.steps(&[]).unwrap()) {
                // Without donors there is only the neutral point of a replaced instruction.
                let Ok(variant) = variant else { continue };
                let (picture, instruction) = (variant.picture, variant.instruction);
                if !put(Ask {
                    index,
                    picture,
                    instruction,
                }) {
                    return;
                }
            }
        };
        self.rated(id, make, &mut |_, _| came.push(start.elapsed()));
        came
    }

    /// What the model says of pictures of the edit, in order.
    fn all(&self, id: u64, pictures: Vec<Picture>) -> Vec<Reward> {
        let mut rewards = vec![None; pictures.len()];
        let instruction = self.instruction.clone();
        let make = move |put: &mut dyn FnMut(Ask) -> bool| {
            for (index, picture) in pictures.into_iter().enumerate() {
                let instruction = instruction.clone();
                put(Ask {
                    index,
                    picture,
                    instruction,
                });
            }
        };
        self.rated(id, make, &mut |index, reward| rewards[index] = Some(reward));
        rewards.into_iter().map(Option::unwrap).collect()
    }
}

#[test]
#[ignore = "a measurement on the demo's model"]
#[expect(clippy::print_stderr, reason = "a measurement is printed")]
fn the_first_points_of_a_probe_are_there_within_a_second() {
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::new(dir.path());
    for (id, factor) in [
        (1, Factor::Saturation),
        (2, Factor::BackgroundTinted),
        (3, Factor::InstructionReplaced),
    ] {
        let came = rig.probed(id, factor);
        eprintln!("{factor}: points after {came:.0?}");
        assert!(came[0] < BUDGET, "the first point came after {:?}", came[0]);
    }
}

#[test]
#[ignore = "a measurement on the demo's model"]
#[expect(clippy::print_stderr, reason = "a measurement is printed")]
fn an_occlusion_map_is_there_coarse_first() {
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::new(dir.path());
    let start = Instant::now();
    let material = rig.material();
    let mut occlusion = Occlusion::new(&material, Plan::default()).unwrap();
    let whole = rig.all(10, vec![material.neutral().unwrap()]).remove(0);
    occlusion.begin(whole);
    for id in 11.. {
        let patches = occlusion.finer();
        let Some(patch) = patches.first() else { break };
        let of = patch.of;
        let pictures = patches
            .iter()
            .map(|patch| occlusion.picture(*patch).unwrap())
            .collect();
        for (patch, reward) in patches.iter().zip(rig.all(id, pictures)) {
            occlusion.take(*patch, Ok(reward));
        }
        eprintln!(
            "occlusion: {of} × {of} after {:.0?}, {} patches rated",
            start.elapsed(),
            patches.len()
        );
    }
    eprintln!(
        "without any edit: {:?}; most: {:?}",
        occlusion.without_any(),
        occlusion.most_important(None)
    );
}
