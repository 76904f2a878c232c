//! Measures of constructed images, of which it is known what they have to be, and of encodings of the photos of the sample.

use super::*;
use crate::data::images::{decode, jpeg, png, resize};
use crate::failures::raster;
use image::RgbImage;

const W: usize = 96;
const H: usize = 64;

fn of(source: &[Pixel], edit: &[Pixel]) -> Measures {
    let image = |pixels| Raster::new(W, H, pixels).unwrap();
    measure(image(source), image(edit))
}

fn get(measures: &Measures, measure: Measure) -> f64 {
    let why = || panic!("{}: {:?}", measure.name(), measures.why_not(measure));
    measures.get(measure).unwrap_or_else(why)
}

/// A scene with some of everything.
fn scene() -> Vec<Pixel> {
    (0..W * H)
        .map(|i| {
            let (x, y) = ((i % W) as f32, (i / W) as f32);
            let v = |f: f32| (110.0 + 60.0 * (x / 7.0 + f).sin() * (y / 5.0 - f).cos()) as u8;
            [v(0.0), v(0.7), v(1.9)]
        })
        .collect()
}

/// Numbers of about normal distribution with a standard deviation of 1.
fn normals(seed: u64) -> impl FnMut() -> f64 {
    let mut draw = crate::domain::stats::draws(seed);
    move || (0..12).map(|_| draw()).sum::<f64>() - 6.0
}

#[test]
fn identical_images_differ_in_nothing_and_have_nothing_inside_an_edit() {
    let pixels = scene();
    let measures = of(&pixels, &pixels);
    for measure in Measure::ALL {
        match measure {
            Measure::EditStrength | Measure::SsimInside => {
                assert_eq!(measures.why_not(measure), Some(NOTHING));
            }
            Measure::SsimOutside | Measure::NoOp | Measure::SizeRatio | Measure::AspectRatio => {
                assert!((get(&measures, measure) - 1.0).abs() < 1e-9, "{measure:?}");
            }
            _ => assert_eq!(get(&measures, measure), 0.0, "{measure:?}"),
        }
    }
}

#[test]
fn saturation_rises_by_what_was_put_in() {
    // Saturation 0.25, then 0.5, over the whole frame.
    let source = vec![[200, 175, 150]; W * H];
    let edit = vec![[200, 150, 100]; W * H];
    let measures = of(&source, &edit);
    assert!((get(&measures, Measure::SatDelta) - 0.25).abs() < 1e-9);
    assert!((get(&measures, Measure::SatP95Delta) - 0.25).abs() < 1e-3);
    assert!(get(&measures, Measure::ColorfulnessDelta) > 10.0);
    // A tenth of the frame alone moves the mean by a tenth, and the 95th percentile by all of it.
    let mut edit = source.clone();
    edit[..W * H / 10].fill([200, 150, 100]);
    let measures = of(&source, &edit);
    assert!((get(&measures, Measure::SatDelta) - 0.025).abs() < 1e-3);
    assert!((get(&measures, Measure::SatP95Delta) - 0.25).abs() < 1e-3);
}

#[test]
fn lightness_and_contrast_are_those_of_cielab() {
    let source = vec![[119; 3]; W * H];
    let mut edit = source.clone();
    edit[..W * H / 2].fill([0; 3]);
    edit[W * H / 2..].fill([255; 3]);
    let measures = of(&source, &edit);
    // L* of a grey of 119 is 50.03; half black and half white is 50 on average with a deviation of 50.
    assert!(get(&measures, Measure::LumDelta).abs() < 0.1);
    assert!((get(&measures, Measure::ContrastDelta) - 50.0).abs() < 0.01);
    assert_eq!(get(&measures, Measure::ClippedDelta), 1.0);
    assert_eq!(
        measures.why_not(Measure::SharpnessDelta),
        Some("an image has no detail at all")
    );
}

#[test]
fn clipped_pixels_are_those_with_a_component_at_an_end() {
    let source = scene();
    let mut edit = source.clone();
    for pixel in &mut edit[..W * H / 4] {
        pixel[2] = 255;
    }
    assert_eq!(get(&of(&source, &edit), Measure::ClippedDelta), 0.25);
}

#[test]
fn noise_is_found_with_its_own_size() {
    let source = vec![[128; 3]; W * H];
    let mut normal = normals(3);
    for sigma in [2.0, 8.0] {
        let edit: Vec<Pixel> = source
            .iter()
            .map(|_| [(128.0 + sigma * normal()).round().clamp(0.0, 255.0) as u8; 3])
            .collect();
        let found = get(&of(&source, &edit), Measure::NoiseDelta);
        assert!((found / sigma - 1.0).abs() < 0.08, "{sigma}: {found}");
    }
}

#[test]
fn blur_takes_sharpness_and_similarity_and_is_no_returned_source() {
    let source = scene();
    let mut normal = normals(9);
    let sharp: Vec<Pixel> = source
        .iter()
        .map(|p| {
            let step = 25.0 * normal();
            p.map(|v| (f64::from(v) + step).clamp(0.0, 255.0) as u8)
        })
        .collect();
    let measures = of(&sharp, &source);
    assert!(get(&measures, Measure::SharpnessDelta) < -2.0);
    assert!(get(&measures, Measure::NoiseDelta) < -15.0);
    assert_eq!(get(&measures, Measure::NoOp), 0.0);
    let back = of(&source, &sharp);
    let (there, back) = (
        get(&measures, Measure::SharpnessDelta),
        get(&back, Measure::SharpnessDelta),
    );
    assert!((there + back).abs() < 1e-9);
}

#[test]
fn blocks_show_on_the_grid_of_eight() {
    let flat = scene();
    let blocky: Vec<Pixel> = (0..W * H)
        .map(|i| {
            let odd = (i % W / 8 + i / W / 8) % 2 == 1;
            flat[i].map(|v| v + if odd { 12 } else { 0 })
        })
        .collect();
    let found = get(&of(&flat, &blocky), Measure::BlockinessDelta);
    assert!((6.0..13.0).contains(&found), "{found}");
    // The same pattern on another grid is no trace of an encoder.
    let other: Vec<Pixel> = (0..W * H)
        .map(|i| {
            let odd = ((i % W + 4) / 8 + (i / W + 4) / 8) % 2 == 1;
            flat[i].map(|v| v + if odd { 12 } else { 0 })
        })
        .collect();
    assert!(get(&of(&flat, &other), Measure::BlockinessDelta) < 0.0);
}

#[test]
fn a_tinted_background_reports_its_tint() {
    let source = scene();
    let patch = |i: usize| (20..50).contains(&(i % W)) && (15..45).contains(&(i / W));
    let edit: Vec<Pixel> = source
        .iter()
        .enumerate()
        .map(|(i, [r, g, b])| {
            if patch(i) {
                [230, 30, 40]
            } else {
                [r + 20, *g, b.saturating_sub(15)]
            }
        })
        .collect();
    let (map, measures) = {
        let image = |pixels| Raster::new(W, H, pixels).unwrap();
        measure_with_map(image(&source), image(&edit))
    };
    let outside: Vec<f64> = (0..W * H)
        .filter(|i| !patch(*i))
        .map(|i| f64::from(map.change()[i]))
        .collect();
    let tint = outside.iter().sum::<f64>() / outside.len() as f64;
    let found = get(&measures, Measure::BackgroundChange);
    assert!((found / tint - 1.0).abs() < 0.05, "{found} {tint}");
    assert!(get(&measures, Measure::EditStrength) > 2.0 * found);
    assert!((get(&measures, Measure::EditShare) - 900.0 / (W * H) as f64).abs() < 0.03);
    assert!(get(&measures, Measure::SsimInside) < get(&measures, Measure::SsimOutside));
}

#[test]
fn a_frame_that_was_edited_everywhere_has_no_background() {
    let source = scene();
    let edit: Vec<Pixel> = source.iter().map(|p| p.map(|v| 255 - v)).collect();
    let measures = of(&source, &edit);
    assert_eq!(get(&measures, Measure::EditShare), 1.0);
    for measure in [Measure::BackgroundChange, Measure::SsimOutside] {
        assert_eq!(measures.why_not(measure), Some(NO_BACKGROUND));
    }
}

#[test]
fn size_and_shape_are_told_from_the_true_sizes() {
    let (small, large) = (vec![[9, 90, 200]; 20 * 10], vec![[9, 90, 200]; 40 * 40]);
    let small = Raster::new(20, 10, &small).unwrap();
    let large = Raster::new(40, 40, &large).unwrap();
    let measures = measure(small, large);
    assert_eq!(get(&measures, Measure::SizeRatio), 8.0);
    assert_eq!(get(&measures, Measure::AspectRatio), 0.5);
    assert_eq!(get(&measures, Measure::NoOp), 0.0);
}

#[test]
fn the_smallest_images_have_numbers_or_reasons() {
    let sizes = [
        (1, 1),
        (2, 2),
        (1, 300),
        (300, 1),
        (3, 3),
        (17, 9),
        (700, 2),
    ];
    for (w, h) in sizes {
        for (ew, eh) in sizes {
            let (source, edit) = (vec![[10, 200, 30]; w * h], vec![[200, 20, 30]; ew * eh]);
            let measures = measure(
                Raster::new(w, h, &source).unwrap(),
                Raster::new(ew, eh, &edit).unwrap(),
            );
            for measure in Measure::ALL {
                let known = measures.get(measure).is_some() != measures.why_not(measure).is_some();
                assert!(known, "{w} × {h}, {ew} × {eh}: {measure:?}");
            }
        }
    }
}

/// A few photos of the sample, made small.
fn photos() -> Vec<(&'static str, RgbImage)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-data/photos");
    [
        "animals_cow",
        "animals_macaw",
        "food_coffee",
        "landscape_forest_stream",
        "street_brick_basilica",
    ]
    .into_iter()
    .map(|name| {
        let bytes = std::fs::read(format!("{folder}/{name}.jpg")).unwrap();
        let photo = decode(&bytes).unwrap();
        (name, resize(&photo, 256, 192))
    })
    .collect()
}

#[test]
fn a_source_that_was_only_encoded_again_is_a_returned_one() {
    for (name, photo) in photos() {
        let source = raster(&photo).unwrap();
        for quality in [75, 85, 95] {
            let again = decode(&jpeg(&photo, quality).unwrap()).unwrap();
            let measures = measure(source, raster(&again).unwrap());
            assert_eq!(get(&measures, Measure::NoOp), 1.0, "{name} at {quality}");
        }
        let smaller = resize(&photo, 192, 144);
        let measures = measure(source, raster(&smaller).unwrap());
        assert_eq!(get(&measures, Measure::NoOp), 1.0, "{name} made smaller");
    }
}

#[test]
fn a_source_with_a_visible_change_is_no_returned_one() {
    for (name, photo) in photos() {
        let source = raster(&photo).unwrap();
        let mut spot = photo.clone();
        for (x, y) in (90..110).flat_map(|x| (60..80).map(move |y| (x, y))) {
            let [r, g, b] = spot.get_pixel(x, y).0;
            spot.put_pixel(x, y, image::Rgb([b / 2 + 90, r / 2, g]));
        }
        let mut warm = photo.clone();
        for pixel in warm.pixels_mut() {
            pixel.0[0] = pixel.0[0].saturating_add(14);
            pixel.0[2] = pixel.0[2].saturating_sub(14);
        }
        let soft = resize(&resize(&photo, 64, 48), 256, 192);
        for (what, edit) in [("spot", spot), ("warm", warm), ("soft", soft)] {
            let edit = decode(&jpeg(&edit, 85).unwrap()).unwrap();
            let measures = measure(source, raster(&edit).unwrap());
            assert_eq!(get(&measures, Measure::NoOp), 0.0, "{name} {what}");
        }
    }
}

#[test]
fn grey_alpha_deep_and_animated_files_are_measured_as_they_are_seen() {
    use image::{DynamicImage, ImageFormat};
    let (_, photo) = photos().swap_remove(0);
    let photo = resize(&photo, 64, 48);
    let as_file = |image: DynamicImage, format| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let dynamic = DynamicImage::ImageRgb8(photo.clone());
    let mut gif = Vec::new();
    {
        let mut encoder = image::codecs::gif::GifEncoder::new(&mut gif);
        let frame = |image: &DynamicImage| image::Frame::new(image.to_rgba8());
        let other = DynamicImage::ImageLuma8(dynamic.to_luma8());
        encoder
            .encode_frames([frame(&dynamic), frame(&other)])
            .unwrap();
    }
    let files = [
        ("grey", as_file(dynamic.to_luma8().into(), ImageFormat::Png)),
        (
            "alpha",
            as_file(dynamic.to_rgba8().into(), ImageFormat::Png),
        ),
        ("deep", as_file(dynamic.to_rgb16().into(), ImageFormat::Png)),
        (
            "deep grey",
            as_file(dynamic.to_luma16().into(), ImageFormat::Png),
        ),
        ("webp", as_file(dynamic.clone(), ImageFormat::WebP)),
        ("animated", gif),
        ("plain", png(&photo).unwrap()),
    ];
    let source = raster(&photo).unwrap();
    for (name, bytes) in files {
        let edit = decode(&bytes).unwrap();
        let measures = measure(source, raster(&edit).unwrap());
        for measure in Measure::ALL {
            let known = measures.get(measure).is_some() != measures.why_not(measure).is_some();
            assert!(known, "{name}: {measure:?}");
        }
        let same = ["alpha", "deep", "webp", "plain"].contains(&name);
        if same {
            assert_eq!(get(&measures, Measure::NoOp), 1.0, "{name}");
        }
        assert!(
            !name.contains("grey") || get(&measures, Measure::SatDelta) < -0.05,
            "{name}"
        );
    }
}
