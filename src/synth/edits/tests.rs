//! Every operation does what it says, where it says.

use super::*;
use crate::synth::raster::color::{Ink, Lab, Rgb};
use crate::synth::raster::noise::chance;

const W: usize = 64;
const H: usize = 48;

/// A blue sky over green ground with a red box standing on it; the mask covers the box.
fn photo() -> (Picture, Mask) {
    let mask = Grid::from_fn(W, H, |x, y| f32::from(in_box(x, y)));
    let (sky, ground, red) = (
        Ink::hex(0x88_b4ec),
        Ink::hex(0x4a_7a30),
        Ink::hex(0xb8_2a20),
    );
    let picture = mask.map_at(|x, y, m| {
        let grain = 0.9 + 0.2 * ((x * 7 + y * 13) % 5) as f32 / 5.0;
        if m > 0.5 {
            red.0.map(|v| v * grain)
        } else if y < 20 {
            sky.0
        } else {
            ground.0.map(|v| v * grain)
        }
    });
    (picture, mask)
}

fn in_box(x: usize, y: usize) -> bool {
    (26..40).contains(&x) && (22..38).contains(&y)
}

fn perform_toml(step: &str) -> (Picture, Picture, Mask) {
    #[derive(Deserialize)]
    struct Holder {
        step: Step,
    }
    let holder: Holder = toml::from_str(&format!("step = {{ {step} }}")).unwrap();
    let (source, subject) = photo();
    let scene = source.map(|_| Ink::hex(0xf0_e010).0);
    let scenes = BTreeMap::from([("scene.jpg".to_owned(), scene)]);
    let mut stage = Stage::new(
        source.clone(),
        Some(subject),
        &scenes,
        chance(7, "operation"),
    );
    perform(&[holder.step], &mut stage);
    (source, stage.picture, stage.touched)
}

fn changed(a: &Picture, b: &Picture, x: usize, y: usize) -> f32 {
    let (a, b): (Rgb, Rgb) = (a.get(x, y), b.get(x, y));
    (0..3).map(|i| (a[i] - b[i]).abs()).fold(0.0, f32::max)
}

/// The share of pixels that changed visibly: within the box (well inside), and outside it (well away).
fn shares(step: &str) -> (f32, f32) {
    let (source, edited, _) = perform_toml(step);
    let (mut inside, mut insides, mut outside, mut outsides) = (0.0, 0.0, 0.0, 0.0);
    for y in 0..H {
        for x in 0..W {
            let moved = f32::from(changed(&source, &edited, x, y) > 0.01);
            if (29..37).contains(&x) && (25..35).contains(&y) {
                inside += moved;
                insides += 1.0;
            } else if !((22..44).contains(&x) && (18..42).contains(&y)) {
                outside += moved;
                outsides += 1.0;
            }
        }
    }
    (inside / insides, outside / outsides)
}

/// One use of every operation, and how much of the subject and of the rest it may change.
const USES: [(&str, [f32; 2], [f32; 2]); 30] = [
    (
        r#"op = "grade", stops = 1, select = { part = "subject" }"#,
        [1.0, 1.0],
        [0.0, 0.0],
    ),
    (r#"op = "duotone""#, [1.0, 1.0], [0.95, 1.0]),
    (
        r##"op = "recolor", to = "#2040d0", select = { part = "subject" }"##,
        [1.0, 1.0],
        [0.0, 0.0],
    ),
    (
        r#"op = "hue", degrees = 180, select = { hue = [10, 50] }"#,
        [1.0, 1.0],
        [0.0, 0.0],
    ),
    (r#"op = "invert""#, [1.0, 1.0], [1.0, 1.0]),
    (r#"op = "glow""#, [0.0, 1.0], [0.3, 1.0]),
    (
        r#"op = "blur", radius = 20, select = { part = "background" }"#,
        [0.0, 0.0],
        [0.3, 1.0],
    ),
    (
        r#"op = "tilt-shift", middle = 0.62, band = 0.2, radius = 12, saturation = 1.0"#,
        [0.0, 0.1],
        [0.03, 0.9],
    ),
    (
        r#"op = "pixelate", size = 40, select = { part = "subject" }"#,
        [0.5, 1.0],
        [0.0, 0.0],
    ),
    (
        r#"op = "posterize", levels = 4, saturation = 1.4"#,
        [0.5, 1.0],
        [0.5, 1.0],
    ),
    (r#"op = "sketch""#, [0.9, 1.0], [0.9, 1.0]),
    (
        r#"op = "paint", stroke = 16, saturation = 1.2"#,
        [0.5, 1.0],
        [0.3, 1.0],
    ),
    (
        r##"op = "halftone", pitch = 30, ink = "#000000", paper = "#ffffff""##,
        [0.9, 1.0],
        [0.9, 1.0],
    ),
    (r#"op = "mirror""#, [0.0, 1.0], [0.1, 1.0]),
    (r#"op = "flip""#, [0.2, 1.0], [0.5, 1.0]),
    (
        r#"op = "zoom", x = 0.5, y = 0.6, factor = 2"#,
        [0.0, 1.0],
        [0.2, 1.0],
    ),
    (
        r##"op = "frame", color = "#ffffff", width = 30"##,
        [0.0, 0.0],
        [0.2, 0.6],
    ),
    (r#"op = "snow", amount = 1"#, [0.9, 1.0], [0.9, 1.0]),
    (r#"op = "rain", amount = 1"#, [0.9, 1.0], [0.9, 1.0]),
    (
        r#"op = "fog", density = 0.9, horizon = 0.4"#,
        [0.9, 1.0],
        [0.8, 1.0],
    ),
    (
        r##"op = "sky", top = "#402060", bottom = "#f0a060", clouds = 0.5"##,
        [0.0, 0.0],
        [0.3, 0.6],
    ),
    (
        r##"op = "backdrop", top = "#c0c8d0", bottom = "#a0a8b0""##,
        [0.0, 0.0],
        [1.0, 1.0],
    ),
    (
        r#"op = "scene", photo = "scene.jpg", blur = 2"#,
        [0.0, 0.0],
        [1.0, 1.0],
    ),
    (r#"op = "remove", margin = 8"#, [1.0, 1.0], [0.0, 0.0]),
    (
        r#"op = "copy", dx = -0.35, dy = 0.1"#,
        [0.0, 0.0],
        [0.03, 0.3],
    ),
    (
        r##"op = "outline", color = "#ffffff", width = 12"##,
        [0.0, 0.0],
        [0.0, 0.05],
    ),
    (
        r#"op = "moon", x = 0.2, y = 0.2, radius = 40"#,
        [0.0, 0.0],
        [0.03, 0.4],
    ),
    (r#"op = "stars", amount = 6"#, [0.0, 0.0], [0.005, 0.5]),
    (
        r#"op = "rainbow", x = 0.5, y = 0.6, radius = 0.4, width = 0.1, amount = 1"#,
        [0.0, 0.0],
        [0.03, 0.5],
    ),
    (
        r##"op = "balloon", x = 0.15, y = 0.2, radius = 40, colors = ["#d02020", "#f0c020"]"##,
        [0.0, 0.0],
        [0.02, 0.2],
    ),
];

#[test]
fn every_operation_changes_what_it_says_and_leaves_the_rest() {
    for (step, inside, outside) in USES {
        let (of_subject, of_rest) = shares(step);
        assert!(
            (inside[0]..=inside[1]).contains(&of_subject),
            "{step}: {of_subject} of the subject"
        );
        assert!(
            (outside[0]..=outside[1]).contains(&of_rest),
            "{step}: {of_rest} of the rest"
        );
    }
}

#[test]
fn every_known_operation_is_tried() {
    for name in Step::NAMES {
        let tried = USES
            .iter()
            .any(|(step, ..)| step.contains(&format!("op = \"{name}\"")));
        assert!(tried, "{name}");
    }
}

fn lab_in_box(picture: &Picture) -> Lab {
    Lab::of(picture.blurred(1.5).get(33, 30))
}

#[test]
fn recoloring_reaches_the_hue_and_keeps_the_grain() {
    let (source, edited, _) =
        perform_toml(r##"op = "recolor", to = "#2040d0", select = { part = "subject" }"##);
    let hue = lab_in_box(&edited).hue();
    assert!((hue - Ink::hex(0x20_40d0).lab().hue()).abs() < 8.0, "{hue}");
    let grain = |p: &Picture| Lab::of(p.get(31, 30)).l - Lab::of(p.get(32, 30)).l;
    assert!((grain(&source) - grain(&edited)).abs() < 0.02);
}

#[test]
fn a_duotone_without_colors_is_grey_and_a_brighter_grade_is_brighter() {
    let (_, grey, _) = perform_toml(r#"op = "duotone""#);
    assert!(grey.cells.iter().all(|rgb| Lab::of(*rgb).chroma() < 2e-3));
    let mean = |p: &Picture| p.lightness().cells.iter().sum::<f32>();
    let (source, bright, _) = perform_toml(r#"op = "grade", stops = 1"#);
    let (_, dark, _) = perform_toml(r#"op = "grade", stops = -1"#);
    assert!(mean(&bright) > mean(&source) * 1.05 && mean(&dark) < mean(&source) * 0.9);
}

#[test]
fn a_removed_box_leaves_ground_and_a_copied_one_is_there_twice() {
    let (_, without, _) = perform_toml(r#"op = "remove", margin = 8"#);
    let hue = lab_in_box(&without).hue();
    assert!((100.0..170.0).contains(&hue), "{hue}");
    let red = |p: &Picture| {
        let hues = p.map(|rgb| f32::from((5.0..50.0).contains(&Lab::of(rgb).hue())));
        hues.share()
    };
    let (source, twice, _) = perform_toml(r#"op = "copy", dx = -0.35, dy = 0.1"#);
    let ratio = red(&twice) / red(&source);
    assert!((1.7..2.1).contains(&ratio), "{ratio}");
    let (_, smaller, _) = perform_toml(r#"op = "copy", scale = 0.5, keep = false"#);
    let ratio = red(&smaller) / red(&source);
    assert!((0.1..0.4).contains(&ratio), "{ratio}");
}

#[test]
fn a_swapped_stage_works_on_the_complement() {
    let (source, subject) = photo();
    let scenes = BTreeMap::new();
    let mut stage = Stage::new(source.clone(), Some(subject), &scenes, chance(7, "swap"));
    stage.swapped = true;
    let selection = Selection {
        part: crate::synth::raster::select::Part::Subject,
        ..Selection::default()
    };
    let mask = stage.select(&selection);
    assert!(mask.get(33, 30) < 0.01 && mask.get(5, 5) > 0.99);
    assert_eq!(stage.touched, mask);
}

#[test]
fn where_an_edit_worked_is_known() {
    let (_, _, touched) = perform_toml(r#"op = "moon", x = 0.2, y = 0.2, radius = 16"#);
    assert!(touched.get(12, 9) > 0.9 && touched.get(60, 40) < 0.1);
    let (_, _, touched) = perform_toml(r#"op = "remove", margin = 4"#);
    assert!(touched.get(33, 30) > 0.9 && touched.get(3, 3) < 0.1);
}
