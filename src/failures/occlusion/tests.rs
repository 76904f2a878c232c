//! Occlusion with judges that look at one region only, which must be the one that is found.

use super::*;
use crate::failures::probe::pictures::{file, pasted, photo, plain};
use crate::failures::probe::planted::Planted;

/// Looks at the green of a rectangle (left, top, right, bottom) only, which is taken for instruction following.
fn looks_at([left, top, right, bottom]: [u32; 4]) -> Planted {
    Planted::new(move |_, _, edit| {
        let mut sum = 0.0;
        for y in top..bottom {
            for x in left..right {
                sum += f64::from(edit.get_pixel(x, y).0[1]);
            }
        }
        let pixels = f64::from((right - left) * (bottom - top));
        [sum / pixels / 100.0, 0.25]
    })
}

fn material(edit: &RgbImage) -> Material {
    let source = plain(64, 64, [50, 50, 50]);
    Material::new(file(&source), file(edit), "make it green", 0).unwrap()
}

fn on_if(occlusion: &Occlusion) -> Heat {
    occlusion.heat(Some(Axis::InstructionFollowing))
}

fn go_on(_: &Occlusion) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[test]
fn a_judge_that_looks_at_one_cell_shows_which() {
    let edit = plain(64, 64, [50, 150, 50]);
    let mut judge = looks_at([40, 16, 48, 24]);
    let plan = Plan {
        border: 0.0,
        ..Plan::default()
    };
    let occlusion = occlude(&mut judge, &material(&edit), plan, &mut go_on).unwrap();
    let heat = on_if(&occlusion);
    assert_eq!((heat.side, heat.hottest()), (8, Some((5, 2))));
    for (i, cell) in heat.cells.iter().enumerate() {
        let drop = if i == 2 * 8 + 5 { 1.0 } else { 0.0 };
        assert!((cell.unwrap() - drop).abs() < 1e-9, "{i}");
    }
    assert!((heat.sum() - 1.0).abs() < 1e-9);
    let (patch, drop) = occlusion
        .most_important(Some(Axis::InstructionFollowing))
        .unwrap();
    assert_eq!(
        patch,
        Patch {
            of: 8,
            column: 5,
            row: 2
        }
    );
    assert!((drop - 1.0).abs() < 1e-9);
    assert!(
        (occlusion
            .without_any()
            .unwrap()
            .instruction_following
            .unwrap()
            - 1.0)
            .abs()
            < 1e-9
    );
    let vq = occlusion.heat(Some(Axis::VisualQuality));
    assert!(vq.cells.iter().flatten().all(|drop| *drop == 0.0));
    // The edit, the source, and four parts of what mattered at each of three levels.
    assert_eq!(judge.asked, 1 + 1 + 4 + 4 + 4);
}

#[test]
fn a_soft_border_finds_the_same_cell() {
    let edit = plain(64, 64, [50, 150, 50]);
    let mut judge = looks_at([40, 16, 48, 24]);
    let occlusion = occlude(&mut judge, &material(&edit), Plan::default(), &mut go_on).unwrap();
    assert_eq!(on_if(&occlusion).hottest(), Some((5, 2)));
    let drop = on_if(&occlusion).cells[2 * 8 + 5].unwrap();
    assert!(drop > 0.7 && drop <= 1.0, "{drop}");
}

#[test]
fn what_is_as_in_the_source_is_known_without_asking() {
    let source = plain(64, 64, [50, 50, 50]);
    let edit = pasted(&source, &plain(64, 64, [50, 150, 50]), [4, 4, 8, 8]);
    let mut judge = looks_at([0, 0, 64, 64]);
    let mut heats = Vec::new();
    let plan = Plan {
        spare: 0.0,
        ..Plan::default()
    };
    let occlusion = occlude(&mut judge, &material(&edit), plan, &mut |occlusion| {
        heats.push(on_if(occlusion));
        ControlFlow::Continue(())
    })
    .unwrap();
    // The edit, the source, the corner of each level, and the four cells that the square lies in.
    assert_eq!(judge.asked, 1 + 1 + 1 + 1 + 4);
    assert_eq!(occlusion.seen().len(), 1 + 4 + 16 + 64);
    let last = heats.last().unwrap();
    assert!(last.cells.iter().all(Option::is_some));
    assert_eq!(heats[0].side, 1);
}

#[test]
fn an_occlusion_stops_between_two_patches_and_keeps_what_it_has() {
    let mut judge = looks_at([0, 0, 64, 64]);
    let mut left = 3;
    let edit = photo(64, 64, 2);
    let occlusion = occlude(&mut judge, &material(&edit), Plan::default(), &mut |_| {
        left -= 1;
        if left == 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
    .unwrap();
    assert_eq!((judge.asked, occlusion.seen().len()), (4, 3));
    let heat = on_if(&occlusion);
    assert_eq!((heat.side, heat.cells.len()), (2, 4));
    // The lower two cells have their share of the whole frame's drop until they are looked at.
    assert_eq!(heat.finest, [true, true, false, false]);
    assert!(heat.cells[3].is_some());
}

#[test]
fn an_edit_that_is_the_source_has_no_heat_and_single_pixels_are_no_trouble() {
    for source in [photo(64, 64, 1), plain(1, 1, [1, 2, 3]), photo(3, 70, 1)] {
        let same = Material::new(file(&source), file(&source), "x", 0).unwrap();
        let mut judge = Planted::saturation(1.0);
        let occlusion = occlude(&mut judge, &same, Plan::default(), &mut go_on).unwrap();
        assert_eq!(judge.asked, 1);
        assert_eq!(occlusion.heat(None).sum(), 0.0);
        let other = plain(source.width(), source.height(), [250, 10, 90]);
        let edited = Material::new(file(&source), file(&other), "x", 0).unwrap();
        occlude(
            &mut judge,
            &edited,
            Plan {
                spare: 0.0,
                ..Plan::default()
            },
            &mut go_on,
        )
        .unwrap();
    }
}

#[test]
fn a_plan_that_cannot_be_is_refused() {
    let material = material(&plain(64, 64, [0; 3]));
    for plan in [
        Plan {
            levels: Vec::new(),
            ..Plan::default()
        },
        Plan {
            levels: vec![2, 3],
            ..Plan::default()
        },
        Plan {
            levels: vec![0, 2],
            ..Plan::default()
        },
        Plan {
            border: 0.7,
            ..Plan::default()
        },
    ] {
        assert!(Occlusion::new(&material, plan).is_err());
    }
}
