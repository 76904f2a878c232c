//! Maps of constructed images: known patches, tints, noise, sizes.

use super::*;
use crate::domain::Scope;

const W: usize = 160;
const H: usize = 120;

/// A soft landscape of greens and blues.
fn landscape(width: usize, height: usize) -> Vec<Pixel> {
    let place = |i: usize| (i % width * W / width, i / width * H / height);
    let pixels = (0..width * height).map(place);
    pixels
        .map(|(x, y)| {
            let wave = ((x as f32 / 9.0).sin() * 14.0 + (y as f32 / 6.0).cos() * 14.0) as i32;
            let v = |base: usize| u8::try_from((base as i32 + wave).clamp(0, 255)).unwrap();
            [v(60 + y / 3), v(100 + x / 4), v(90 + y / 2)]
        })
        .collect()
}

fn image(pixels: &[Pixel]) -> Raster<'_> {
    Raster::new(W, H, pixels).unwrap()
}

fn inside(i: usize) -> bool {
    (40..80).contains(&(i % W)) && (30..70).contains(&(i / W))
}

/// The patch painted red, the rest as `rest` has it.
fn patched(pixels: &[Pixel], rest: impl Fn(usize, Pixel) -> Pixel) -> Vec<Pixel> {
    let all = pixels.iter().enumerate();
    all.map(|(i, p)| {
        if inside(i) {
            [p[1], p[0] / 2, p[2] / 2]
        } else {
            rest(i, *p)
        }
    })
    .collect()
}

fn noise(i: usize, salt: u32) -> i32 {
    let mut h = (i as u32).wrapping_mul(0x9e37_79b9) ^ salt;
    h = (h ^ (h >> 15)).wrapping_mul(0x85eb_ca6b);
    ((h >> 20) % 13) as i32 - 6
}

fn noisy(i: usize, pixel: Pixel) -> Pixel {
    let mut channel = 0;
    pixel.map(|v| {
        channel += 1;
        u8::try_from((i32::from(v) + noise(i, channel)).clamp(0, 255)).unwrap()
    })
}

fn iou(map: &EditMap) -> f64 {
    let both = map.edited().iter().enumerate();
    let (mut and, mut or) = (0, 0);
    for (i, edited) in both {
        and += usize::from(*edited && inside(i));
        or += usize::from(*edited || inside(i));
    }
    f64::from(u32::try_from(and).unwrap()) / f64::from(u32::try_from(or).unwrap())
}

#[test]
fn identical_images_have_no_edited_region() {
    let pixels = landscape(W, H);
    let map = EditMap::between(image(&pixels), image(&pixels));
    assert!(map.regions().is_empty() && map.share() == 0.0 && map.spread() == 0.0);
    assert!(map.change().iter().all(|change| *change == 0.0));
    assert!(!Scope::measured(&map.extent()).global);
}

#[test]
fn a_painted_patch_is_found_where_it_is() {
    let pixels = landscape(W, H);
    let edit = patched(&pixels, |_, p| p);
    let map = EditMap::between(image(&pixels), image(&edit));
    assert_eq!((map.width(), map.height()), (W, H));
    assert!(iou(&map) > 0.9, "{}", iou(&map));
    assert_eq!(map.regions().len(), 1);
    let region = map.regions()[0];
    assert!(
        region.x.abs_diff(40) <= 2 && region.width.abs_diff(40) <= 4,
        "{region:?}"
    );
    let scope = Scope::measured(&map.extent());
    assert!(!scope.global && scope.why.contains("1 region"), "{scope:?}");
}

#[test]
fn a_patch_stands_out_over_noise_and_over_a_tint_of_all_the_rest() {
    let pixels = landscape(W, H);
    let noisy = patched(&pixels, noisy);
    let map = EditMap::between(image(&pixels), image(&noisy));
    assert!(iou(&map) > 0.85, "{}", iou(&map));
    assert_eq!(map.tint(), 0.0);

    let tinted = patched(&pixels, |_, [r, g, b]| {
        [r.saturating_add(20), g, b.saturating_sub(16)]
    });
    let map = EditMap::between(image(&pixels), image(&tinted));
    assert!(iou(&map) > 0.85, "{} {:?}", iou(&map), map.regions());
    assert!(map.tint() > 5.0 && !map.is_whole(), "{}", map.tint());

    let darker = patched(&pixels, |_, p| p.map(|v| (f32::from(v) * 0.82) as u8));
    let map = EditMap::between(image(&pixels), image(&darker));
    assert!(iou(&map) > 0.85, "{} {:?}", iou(&map), map.regions());
}

#[test]
fn a_tone_of_the_whole_frame_leaves_no_background() {
    let pixels = landscape(W, H);
    let grey: Vec<Pixel> = pixels
        .iter()
        .map(|p| [(u16::from(p[1]) / 2 + 20) as u8; 3])
        .collect();
    let map = EditMap::between(image(&pixels), image(&grey));
    assert!(map.is_whole() && map.share() == 1.0 && map.spread() == 1.0);
    assert!(Scope::measured(&map.extent()).global);
    let scope = Scope::judge(Some(&map.extent()), "make the flower red").unwrap();
    assert!(!scope.global && scope.why.contains("although"), "{scope:?}");
}

#[test]
fn sizes_and_shapes_are_reconciled_in_the_frame_of_the_source() {
    let (small, large) = (landscape(W, H), landscape(W * 8, H * 8));
    let large = Raster::new(W * 8, H * 8, &large).unwrap();
    let map = EditMap::between(large, image(&small));
    assert_eq!((map.width(), map.height()), (W, H));
    assert!(map.share() < 0.02, "{}", map.share());
    let map = EditMap::between(large, large);
    assert_eq!((map.width(), map.height()), (512, 384));
    let dot = [[9; 3]];
    let dot = Raster::new(1, 1, &dot).unwrap();
    for (source, edit) in [(dot, dot), (dot, image(&small)), (image(&small), dot)] {
        let map = EditMap::between(source, edit);
        assert_eq!(map.change().len(), map.width() * map.height());
    }
    let line = [[200, 10, 10]; 3000];
    let line = Raster::new(3000, 1, &line).unwrap();
    let map = EditMap::between(line, image(&small));
    assert_eq!((map.width(), map.height()), (512, 1));
}
