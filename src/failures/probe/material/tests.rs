//! Variants: what each factor changes of a constructed candidate, and that it changes nothing else.

use super::*;
use crate::failures::probe::pictures::{file, pasted, photo, plain};

const SIDE: u32 = 48;
const MIDDLE: [u32; 4] = [16, 16, 16, 16];

/// A photo whose middle was edited, on a background that the editor made brighter.
fn material() -> Material {
    let source = photo(SIDE, SIDE, 1);
    let brighter = tone::brightened(&source, 1.2);
    let edit = pasted(&brighter, &plain(SIDE, SIDE, [200, 40, 90]), MIDDLE);
    let edited: Vec<bool> = (0..SIDE * SIDE)
        .map(|i| (16..32).contains(&(i % SIDE)) && (16..32).contains(&(i / SIDE)))
        .collect();
    let donor = |salt: u32| Donor {
        key: format!("g{salt}"),
        instruction: format!("do {salt}"),
        source: file(&photo(30, 20, salt)),
        edit: Some(file(&plain(9, 9, [salt as u8; 3]))),
    };
    Material::new(file(&source), file(&edit), "Make it pink.", 3)
        .unwrap()
        .with_edited(SIDE as usize, SIDE as usize, &edited)
        .with_donors(vec![donor(7), donor(8), donor(9)])
}

fn pixels(variant: &Variant) -> RgbImage {
    decoded("it", &variant.picture).unwrap().0
}

#[test]
fn the_neutral_step_of_every_factor_is_the_candidate_to_the_pixel() {
    let material = material();
    for factor in Factor::ALL {
        let neutral = material.variant(factor, factor.about().neutral).unwrap();
        assert_eq!(&pixels(&neutral), material.edit_pixels(), "{factor}");
        assert_eq!(neutral.instruction, "Make it pink.");
        assert_eq!(neutral.words, "as it is");
    }
}

#[test]
fn every_other_step_changes_the_picture_or_the_instruction_and_not_both() {
    let material = material();
    for factor in Factor::ALL {
        let steps = factor.about().steps;
        let made: Vec<_> = material.variants(factor, steps).collect();
        assert_eq!(made.len(), steps.len());
        assert_eq!(steps[made[0].0], factor.about().neutral);
        for (place, variant) in made.into_iter().skip(1) {
            let variant = variant.unwrap();
            assert_eq!(variant.step, steps[place]);
            let words = variant.instruction != "Make it pink.";
            // In so small a picture the narrowest blurs are less than a pixel's.
            let blur = matches!(factor, Factor::Blur | Factor::BackgroundBlurred);
            if blur && variant.step < 4.0 {
                continue;
            }
            let picture = pixels(&variant)
                != pixels(&material.variant(factor, factor.about().neutral).unwrap());
            assert_eq!(
                (words, picture),
                (factor.is_of_instruction(), !factor.is_of_instruction()),
                "{factor} {}",
                variant.step
            );
            if !matches!(factor, Factor::NoOp | Factor::OtherEdit) {
                assert_eq!(pixels(&variant).dimensions(), (SIDE, SIDE));
            }
        }
    }
}

#[test]
fn a_restored_background_is_the_sources_away_from_the_edit_and_the_edit_is_as_it_was() {
    let material = material();
    let restored = pixels(&material.variant(Factor::BackgroundRestored, 1.0).unwrap());
    let at = |picture: &RgbImage, x, y| picture.get_pixel(x, y).0;
    for (x, y) in [(0, 0), (5, 24), (40, 40)] {
        assert_eq!(at(&restored, x, y), at(material.source_pixels(), x, y));
        assert_ne!(at(&restored, x, y), at(material.edit_pixels(), x, y));
    }
    for (x, y) in [(16, 16), (24, 24), (31, 31)] {
        assert_eq!(at(&restored, x, y), at(material.edit_pixels(), x, y));
    }
    for factor in [
        Factor::BackgroundTinted,
        Factor::BackgroundBlurred,
        Factor::BackgroundReplaced,
    ] {
        let most = *factor.about().steps.last().unwrap();
        let changed = pixels(&material.variant(factor, most).unwrap());
        assert_eq!(at(&changed, 24, 24), [200, 40, 90], "{factor}");
        assert_ne!(
            at(&changed, 3, 3),
            at(material.edit_pixels(), 3, 3),
            "{factor}"
        );
    }
}

#[test]
fn the_strength_of_an_edit_goes_from_the_source_through_the_edit_and_beyond() {
    let material = material();
    let at = |step| pixels(&material.variant(Factor::Strength, step).unwrap());
    assert_eq!(&at(0.0), material.source_pixels());
    let (half, beyond) = (at(0.5), at(1.5));
    for (x, y) in [(2, 2), (20, 20)] {
        let get = |picture: &RgbImage| f64::from(picture.get_pixel(x, y).0[0]);
        let (s, e) = (get(material.source_pixels()), get(material.edit_pixels()));
        assert!((get(&half) - f64::midpoint(s, e)).abs() <= 0.5);
        assert!((get(&beyond) - (s + 1.5 * (e - s)).clamp(0.0, 255.0)).abs() <= 0.5);
    }
}

#[test]
fn the_dose_of_a_saturation_step_is_the_pictures_mean_saturation() {
    let grey = plain(8, 8, [100, 100, 100]);
    let half = plain(8, 8, [200, 100, 150]);
    let material = Material::new(file(&grey), file(&half), "x", 0).unwrap();
    let dose = |step| material.variant(Factor::Saturation, step).unwrap().dose;
    assert!((dose(1.0) - 0.5).abs() < 1e-9 && (dose(1.5) - 0.75).abs() < 1e-9);
    assert_eq!(material.variant(Factor::Blur, 2.0).unwrap().dose, 2.0);
}

#[test]
fn what_is_not_known_or_not_there_is_said() {
    let source = photo(8, 8, 1);
    let bare = Material::new(file(&source), file(&source), "x", 0).unwrap();
    let why = |material: &Material, factor| material.variant(factor, 1.0).unwrap_err().to_string();
    assert!(why(&bare, Factor::BackgroundTinted).contains("not known"));
    assert!(why(&bare, Factor::OtherEdit).contains("there are 0"));
    let everywhere = bare.with_edited(2, 2, &[true; 4]);
    assert!(why(&everywhere, Factor::BackgroundTinted).contains("whole frame"));
    let broken = Picture {
        bytes: b"nothing".to_vec().into(),
        hash: "h".into(),
    };
    let error = Material::new(file(&source), broken, "x", 0).unwrap_err();
    assert!(
        error.to_string().starts_with("the edit cannot be used"),
        "{error}"
    );
}

#[test]
fn sources_of_other_sizes_and_single_pixels_are_probed_too() {
    let (one, large) = (plain(1, 1, [9, 90, 200]), photo(37, 11, 2));
    for (source, edit) in [(&one, &large), (&large, &one), (&one, &one)] {
        let material = Material::new(file(source), file(edit), "x", 0)
            .unwrap()
            .with_edited(1, 1, &[false])
            .with_donors(vec![Donor {
                key: "g".into(),
                instruction: "y".into(),
                source: file(&large),
                edit: Some(file(&one)),
            }]);
        for factor in Factor::ALL {
            for step in factor
                .about()
                .steps
                .iter()
                .filter(|s| !factor.needs_donors() || **s <= 1.0)
            {
                material.variant(factor, *step).unwrap();
            }
        }
    }
}

#[test]
fn an_instruction_is_negated_and_back() {
    for (text, opposite) in [
        ("Make it blue.", "Do not make it blue."),
        ("do not touch the dog", "Touch the dog"),
        ("Don't move", "Move"),
        ("HDR look", "Do not HDR look"),
        ("  ", "Do not"),
        ("É", "Do not É"),
    ] {
        assert_eq!(negated(text), opposite);
    }
}
