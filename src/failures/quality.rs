//! How good edit maps are, on edits of the sample's photos whose regions are known because they were made from its masks.
//!
//! What counts as edited is the whole region that an operation worked on, also where a pixel happens to look as before: such a
//! pixel cannot be seen in the images, and costs the map what it costs. All edits are written as JPEG of quality 85 and read again.
//! The thresholds of the map are not fitted to these edits. Whoever fits them does so on the photos of odd place in the list: the
//! tests run on those of even place.

#![allow(
    clippy::print_stderr,
    reason = "the tables of cases are part of what these tests give"
)]

use std::fmt::Write as _;

use image::{GrayImage, Rgb, RgbImage};

use super::edit_map::EditMap;
use super::plane::shrunk;
use super::raster;
use crate::data::images::{decode, fit, jpeg, resize};
use crate::domain::Scope;

/// The ΔE2000 that half of all people see.
const VISIBLE: f64 = 2.3;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-data");

/// Photos with a good mask of a subject of some size.
const PHOTOS: [&str; 20] = [
    "animals_bison",
    "animals_chelsea_cat",
    "animals_crab",
    "animals_dog",
    "animals_duck",
    "animals_horses",
    "animals_kingfisher",
    "animals_kitten",
    "animals_macaw",
    "animals_polar_bear",
    "animals_red_panda",
    "animals_sheep",
    "food_coffee",
    "food_cup_saucer",
    "food_fig",
    "objects_bata_drums",
    "objects_rocket",
    "people_astronaut",
    "street_brick_basilica",
    "street_eiffel_tower",
];

/// What is done inside a mask.
const LOCAL: [&str; 6] = ["recolor", "brighten", "blur", "remove", "paste", "backdrop"];
/// What is done inside a mask, with a tint of all the rest: over-editing.
const OVER: [&str; 2] = ["recolor+tint", "remove+tint"];
/// What is done to the whole frame.
const GLOBAL: [&str; 4] = ["brighter", "warmer", "grey", "vivid"];

struct Photo {
    name: &'static str,
    image: RgbImage,
    mask: GrayImage,
}

fn photo(name: &'static str, long_side: u32) -> Photo {
    let read = |path: String| decode(&std::fs::read(path).unwrap()).unwrap();
    let image = fit(
        &read(format!("{FOLDER}/photos/{name}.jpg")),
        long_side,
        long_side,
    );
    let mask = resize(
        &read(format!("{FOLDER}/masks/{name}.png")),
        image.width(),
        image.height(),
    );
    let mask = GrayImage::from_fn(mask.width(), mask.height(), |x, y| {
        image::Luma([if mask.get_pixel(x, y).0[0] > 127 {
            255
        } else {
            0
        }])
    });
    Photo { name, image, mask }
}

fn luma([r, g, b]: [u8; 3]) -> f32 {
    0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b)
}

/// The mean color of a picture where a mask is not set.
fn mean_outside(photo: &Photo) -> [f32; 3] {
    let (mut sum, mut n) = ([0.0; 3], 0.0_f32);
    for (pixel, mask) in photo.image.pixels().zip(photo.mask.pixels()) {
        if mask.0[0] == 0 {
            n += 1.0;
            for (sum, v) in sum.iter_mut().zip(pixel.0) {
                *sum += f32::from(v);
            }
        }
    }
    sum.map(|sum| sum / n.max(1.0))
}

/// The picture with an operation done to all of it, before the mask decides where it shows.
fn changed(what: &str, photo: &Photo, other: &Photo) -> RgbImage {
    let (w, h) = photo.image.dimensions();
    let each = |f: &dyn Fn([u8; 3]) -> [f32; 3]| {
        let mut image = photo.image.clone();
        for pixel in image.pixels_mut() {
            pixel.0 = f(pixel.0).map(|v| v.round().clamp(0.0, 255.0) as u8);
        }
        image
    };
    match what {
        "recolor" => each(&|p| {
            let l = luma(p);
            [0.35 * l + 10.0, 0.55 * l + 15.0, 0.9 * l + 60.0]
        }),
        "brighten" | "brighter" => each(&|p| p.map(|v| 255.0 * (f32::from(v) / 255.0).powf(0.55))),
        "warmer" => each(&|[r, g, b]| {
            [
                f32::from(r) * 1.15 + 12.0,
                f32::from(g) * 1.02,
                f32::from(b) * 0.72,
            ]
        }),
        "tint" => each(&|[r, g, b]| {
            [
                f32::from(r) * 1.08 + 8.0,
                f32::from(g),
                f32::from(b) * 0.88 - 4.0,
            ]
        }),
        "grey" => each(&|p| [luma(p); 3]),
        "vivid" => each(&|p| p.map(|v| luma(p) + 2.2 * (f32::from(v) - luma(p)))),
        "blur" => resize(
            &resize(&photo.image, (w / 12).max(1), (h / 12).max(1)),
            w,
            h,
        ),
        "remove" => {
            let mean = mean_outside(photo);
            let mut image = each(&|_| mean);
            // Not flat, as what editors fill in is not.
            for (x, y, pixel) in image.enumerate_pixels_mut() {
                let wave = 6.0 * ((x as f32 / 5.0).sin() + (y as f32 / 4.0).cos());
                pixel.0 = pixel
                    .0
                    .map(|v| (f32::from(v) + wave).clamp(0.0, 255.0) as u8);
            }
            image
        }
        _ => resize(&other.image, w, h),
    }
}

/// An edit and where it was made.
fn edited(what: &str, photo: &Photo, other: &Photo) -> (RgbImage, Vec<bool>) {
    let (what, tinted) = match what.split_once('+') {
        Some((what, _)) => (what, true),
        None => (what, false),
    };
    let (w, h) = photo.image.dimensions();
    let whole = GLOBAL.contains(&what);
    let mask = match what {
        "paste" => {
            let mask =
                image::imageops::resize(&other.mask, w, h, image::imageops::FilterType::Nearest);
            mask.pixels().map(|v| v.0[0] > 0).collect()
        }
        "backdrop" => photo.mask.pixels().map(|v| v.0[0] == 0).collect(),
        _ => photo
            .mask
            .pixels()
            .map(|v| whole || v.0[0] > 0)
            .collect::<Vec<_>>(),
    };
    let after = changed(what, photo, other);
    let mut image = if tinted {
        changed("tint", photo, other)
    } else {
        photo.image.clone()
    };
    for ((to, from), set) in image.pixels_mut().zip(after.pixels()).zip(&mask) {
        if *set {
            *to = Rgb(from.0);
        }
    }
    let image = decode(&jpeg(&image, 85).unwrap()).unwrap();
    (image, mask)
}

/// What came of one edit.
struct Case {
    name: String,
    what: &'static str,
    /// Of the frame.
    share: f64,
    iou: f64,
    /// Off from the change outside the true mask, as a share of it (of what can be seen, where it is less); `None` where the map
    /// has no background.
    off: Option<f64>,
    /// The change outside the true mask, in ΔE.
    background: f64,
}

fn case(what: &'static str, photo: &Photo, other: &Photo) -> Case {
    let (edit, truth) = edited(what, photo, other);
    let map = EditMap::between(raster(&photo.image).unwrap(), raster(&edit).unwrap());
    assert_eq!(map.edited().len(), truth.len());
    let (mut and, mut or) = (0.0, 0.0);
    for (found, truth) in map.edited().iter().zip(&truth) {
        and += f64::from(u8::from(*found && *truth));
        or += f64::from(u8::from(*found || *truth));
    }
    let outside = |background: &[bool]| {
        let change = map.change().iter().zip(background).filter(|(_, b)| **b);
        mean(change.map(|(change, _)| f64::from(*change)))
    };
    let unedited: Vec<bool> = truth.iter().map(|edited| !edited).collect();
    let size = (map.width(), map.height());
    // The soft edge belongs to neither.
    let known = outside(&shrunk(&unedited, size, 2));
    let around = map.background();
    let off = |found: f64| (found - known).abs() / known.max(VISIBLE);
    Case {
        name: photo.name.to_owned(),
        what,
        share: mean(truth.iter().map(|edited| f64::from(u8::from(*edited)))),
        iou: and / or,
        off: around.contains(&true).then(|| off(outside(&around))),
        background: known,
    }
}

/// All edits of some kinds of the photos.
fn cases(photos: &[Photo], kinds: &[&'static str]) -> Vec<Case> {
    let pairs = photos.iter().zip(photos.iter().cycle().skip(1));
    pairs
        .flat_map(|(photo, other)| kinds.iter().map(move |what| case(what, photo, other)))
        .collect()
}

/// The mean of how far the background's change is off.
fn off(cases: &[Case]) -> f64 {
    mean(cases.iter().filter_map(|case| case.off))
}

fn mean(numbers: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut n) = (0.0, 0.0);
    for number in numbers {
        sum += number;
        n += 1.0;
    }
    sum / n
}

/// A table of the means, and the cases where the map is wrong.
fn table(cases: &[Case]) -> String {
    let mut out = String::new();
    for what in LOCAL.into_iter().chain(OVER) {
        let of = || cases.iter().filter(|case| case.what == what);
        if of().next().is_none() {
            continue;
        }
        let _ = writeln!(
            out,
            "{what:12} IoU {:.3}, background off by {:.1} % of ΔE {:.2}",
            mean(of().map(|c| c.iou)),
            100.0 * mean(of().filter_map(|c| c.off)),
            mean(of().map(|c| c.background)),
        );
    }
    for case in cases {
        let fails = case.iou < 0.5 || case.off.is_none_or(|off| off >= 0.25);
        if fails {
            let off = case.off.map_or("no background".to_owned(), |off| {
                format!("background off by {:.0} %", 100.0 * off)
            });
            let _ = writeln!(
                out,
                "failed: {} of {}, IoU {:.2}, {off}",
                case.what, case.name, case.iou
            );
        }
    }
    out
}

fn photos(of: usize, long_side: u32) -> Vec<Photo> {
    let names = PHOTOS.into_iter().skip(of).step_by(2);
    names.map(|name| photo(name, long_side)).collect()
}

/// Cases that fail are in the table, which the test prints.
#[test]
fn local_edits_are_found_where_they_were_made() {
    let cases = cases(&photos(1, 128), &LOCAL);
    let table = table(&cases);
    eprintln!("{table}");
    assert!(mean(cases.iter().map(|c| c.iou)) >= 0.8, "{table}");
    assert!(off(&cases) < 0.1, "{:.3}\n{table}", off(&cases));
}

/// What most of a frame did is a tint, so a subject of half of it and more is not told from its background: those are left out.
#[test]
fn a_tint_of_the_background_is_measured_beside_a_local_edit() {
    let mut cases = cases(&photos(1, 128), &OVER);
    cases.retain(|case| case.share < 0.4);
    let table = table(&cases);
    eprintln!("{table}");
    assert!(cases.len() >= 10, "{table}");
    assert!(cases.iter().all(|c| c.background > VISIBLE), "{table}");
    assert!(off(&cases) < 0.1, "{:.3}\n{table}", off(&cases));
}

#[test]
fn tones_of_the_whole_frame_are_taken_for_global() {
    let photos = photos(1, 128);
    let words = [
        "Make the photo brighter",
        "Make the photo warmer",
        "Turn it black and white",
        "Make the colors more vivid",
    ];
    let (mut measured, mut all, mut missed) = (0.0, 0.0, Vec::new());
    for photo in &photos {
        for (what, words) in GLOBAL.into_iter().zip(words) {
            let (edit, _) = edited(what, photo, photo);
            let map = EditMap::between(raster(&photo.image).unwrap(), raster(&edit).unwrap());
            let scope = Scope::judge(Some(&map.extent()), words).unwrap();
            assert!(scope.global, "{} {what}: {}", photo.name, scope.why);
            all += 1.0;
            if Scope::measured(&map.extent()).global {
                measured += 1.0;
            } else {
                missed.push(format!("{} {what}", photo.name));
            }
        }
    }
    eprintln!("by measure alone: {measured} of {all}; not {missed:?}");
    assert!(measured / all >= 0.7, "{missed:?}");
}

/// The same at the size that people see, over both halves: for the figures.
#[test]
#[ignore = "takes a minute; prints figures"]
fn figures_of_both_halves() {
    for side in [128, 256, 512] {
        for (half, of) in [("odd", 0), ("even", 1)] {
            let photos = photos(of, side);
            let [local, over] = [&LOCAL[..], &OVER].map(|kinds| cases(&photos, kinds));
            eprintln!(
                "{side} pixels, photos of {half} place: IoU {:.3}, background off by {:.1} %\n{}{}",
                mean(local.iter().map(|c| c.iou)),
                100.0 * off(&local),
                table(&local),
                table(&over)
            );
        }
    }
}
