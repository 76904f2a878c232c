//! How soon the points of a live probe come, with the demo's model and on the thread that the workbench has for it. Not part of a
//! plain run; by `cargo test --test it probe_live -- --ignored --nocapture`, which fails if the first points miss their budget.

use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use erw::data::{Workspace, images};
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

#[test]
#[ignore = "a measurement on the demo's model"]
#[expect(clippy::print_stderr, reason = "a measurement is printed")]
#[expect(clippy::too_many_lines, reason = "one measurement after the other")]
fn the_first_points_of_a_probe_are_there_within_a_second() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = Workspace::demo_in(dir.path()).unwrap();
    let first = workspace.summaries(None, 1, None).unwrap()[0].id;
    let group = workspace.group(first).unwrap().unwrap();
    let (tell, events) = channel();
    let model = workspace.own_model().unwrap();
    let live = LiveScorer::start(
        model,
        LoadOptions::default(),
        workspace.clone(),
        move |event| {
            let _ = tell.send(event);
        },
    );
    let until = |is: &dyn Fn(&LiveEvent) -> bool| events.iter().find(|event| is(event)).unwrap();
    until(&|event| matches!(event, LiveEvent::Ready(_) | LiveEvent::LoadFailed(_)));
    // As in the workbench: the group is on screen, and scored.
    live.show(group.id);
    until(&|event| matches!(event, LiveEvent::Finished(_)));
    live.prefetch(
        workspace
            .summaries(None, 20, None)
            .unwrap()
            .iter()
            .map(|g| g.id)
            .collect(),
    );

    for (id, factor) in [
        (1, Factor::Saturation),
        (2, Factor::BackgroundTinted),
        (3, Factor::InstructionReplaced),
    ] {
        let start = Instant::now();
        let source = picture(&workspace, &group.source);
        let edit = picture(&workspace, &group.candidates[0].image);
        let instruction = group.instruction.clone();
        let feed = live.rate(RateJob {
            id,
            source: source.clone(),
        });
        let keys = start.elapsed();
        let maker = thread::spawn(move || {
            let material = Material::new(source, edit, instruction, 1).unwrap();
            let material = if factor.needs_map() {
                material.mapped()
            } else {
                material
            };
            let steps = factor.steps(&[]).unwrap();
            for (index, variant) in material.variants(factor, &steps) {
                // Without donors there is only the neutral point of a replaced instruction.
                let Ok(variant) = variant else { continue };
                let (picture, instruction) = (variant.picture, variant.instruction);
                if feed
                    .put(Ask {
                        index,
                        picture,
                        instruction,
                    })
                    .is_break()
                {
                    return;
                }
            }
        });
        let mut came = Vec::new();
        for event in &events {
            match event {
                LiveEvent::Rated { job, result, .. } if job == id => {
                    result.unwrap();
                    came.push(start.elapsed());
                }
                LiveEvent::RateDone { job } if job == id => break,
                _ => {}
            }
        }
        maker.join().unwrap();
        eprintln!("{factor}: asked for in {keys:?}; points after {came:.0?}");
        assert!(came[0] < BUDGET, "the first point came after {:?}", came[0]);
    }

    let start = Instant::now();
    let source = picture(&workspace, &group.source);
    let edit = picture(&workspace, &group.candidates[0].image);
    let material = Material::new(source.clone(), edit, group.instruction.clone(), 1).unwrap();
    let mut occlusion = Occlusion::new(&material, Plan::default()).unwrap();
    let instruction = material.instruction();
    let rate = |id, pictures: Vec<Picture>| {
        let feed = live.rate(RateJob {
            id,
            source: source.clone(),
        });
        let count = pictures.len();
        thread::scope(|scope| {
            scope.spawn(move || {
                for (index, picture) in pictures.into_iter().enumerate() {
                    let instruction = instruction.to_owned();
                    let _ = feed.put(Ask {
                        index,
                        picture,
                        instruction,
                    });
                }
            });
            let mut rewards = vec![None; count];
            loop {
                match events.recv().unwrap() {
                    LiveEvent::Rated { job, index, result } if job == id => {
                        rewards[index] = Some(result);
                    }
                    LiveEvent::RateDone { job } if job == id => return rewards,
                    _ => {}
                }
            }
        })
    };
    let whole = rate(10, vec![material.neutral().unwrap()])
        .remove(0)
        .unwrap()
        .unwrap();
    occlusion.begin(whole);
    for id in 11.. {
        let patches = occlusion.finer();
        let Some(patch) = patches.first() else { break };
        let of = patch.of;
        let pictures = patches
            .iter()
            .map(|patch| occlusion.picture(*patch).unwrap())
            .collect();
        for (patch, reward) in patches.iter().zip(rate(id, pictures)) {
            occlusion.take(*patch, reward.unwrap());
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
