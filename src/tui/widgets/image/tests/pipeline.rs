//! Which work is done, in which order, and how much of it is kept.

use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use ratatui::layout::Size;

use super::super::{Counts, Graphics, Limits, PictureState, Pictures, Protocol, Shown};
use super::{Free, Hand, Rig, SIZE, graphics, preview, wants};
use crate::domain::ImageRef;

#[test]
fn the_newest_request_wins_and_what_was_passed_over_is_never_decoded() {
    let (came, arrivals) = channel();
    let (go, gone) = channel();
    let hand = Hand {
        came: Mutex::new(came),
        go: Mutex::new(gone),
    };
    let rig = Rig::new(hand, Graphics::halfblocks(), 64 << 20);
    let names: Vec<String> = (0..200).map(|i| format!("image {i}")).collect();

    rig.pictures.request(wants(&[&names[0]], SIZE), vec![]);
    assert_eq!(arrivals.recv().unwrap(), names[0]);
    // A key is held while the worker is busy with the first.
    for name in &names[1..] {
        rig.pictures.request(wants(&[name], SIZE), vec![]);
    }
    go.send(()).unwrap();
    assert_eq!(arrivals.recv().unwrap(), names[199]);
    go.send(()).unwrap();
    rig.notices.recv().unwrap();

    preview(&rig.get(&names[199], SIZE));
    assert!(matches!(rig.get(&names[0], SIZE), PictureState::Loading));
    let expected = Counts {
        decodes: 2,
        encodes: 1,
        dropped: 1,
    };
    assert_eq!(rig.pictures.counts(), expected);
}

#[test]
fn a_held_key_decodes_nothing_on_its_way() {
    let (notify, notices) = channel();
    let notify = Mutex::new(notify);
    let limits = Limits {
        settle: Duration::from_millis(200),
        ..Limits::default()
    };
    let pictures = Pictures::with_source(Free, Graphics::halfblocks(), limits, move || {
        let _ = notify.lock().unwrap().send(());
    });
    for i in 0..500 {
        let name = format!("{i}/8x8");
        pictures.request(wants(&[&name], SIZE), vec![]);
    }
    let last = Shown::plain(ImageRef("499/8x8".into()));
    while !matches!(pictures.get(&last, SIZE), PictureState::Ready(_)) {
        notices.recv().unwrap();
    }
    let counts = pictures.counts();
    assert!((1..=10).contains(&counts.decodes), "{counts:?}");
}

#[test]
fn what_is_in_view_comes_before_its_neighbours_and_neighbours_cause_no_frame() {
    let (came, arrivals) = channel();
    let (go, gone) = channel();
    let hand = Hand {
        came: Mutex::new(came),
        go: Mutex::new(gone),
    };
    let rig = Rig::new(hand, Graphics::halfblocks(), 64 << 20);
    rig.pictures
        .request(wants(&["a", "b"], SIZE), wants(&["next"], SIZE));
    let order: Vec<String> = (0..3)
        .map(|_| {
            let name = arrivals.recv().unwrap();
            go.send(()).unwrap();
            name
        })
        .collect();
    assert_eq!(order, ["a", "b", "next"]);
    // The neighbour is there as soon as it comes into view: no decoding, no waiting for a notice beyond the first two.
    rig.pictures
        .request(wants(&["after"], SIZE), wants(&["next"], SIZE));
    arrivals.recv().unwrap();
    assert!(matches!(rig.get("next", SIZE), PictureState::Ready(_)));
    assert_eq!(rig.notices.try_iter().count(), 2);
    go.send(()).unwrap();
}

#[test]
fn the_same_request_again_does_nothing_again() {
    let rig = Rig::free(Graphics::halfblocks());
    rig.show(&["60x40"], SIZE);
    let counts = rig.pictures.counts();
    for _ in 0..100 {
        rig.show(&["60x40"], SIZE);
    }
    assert_eq!(rig.pictures.counts(), counts);
}

#[test]
fn another_size_is_made_from_the_decoded_image_and_the_old_one_stays_meanwhile() {
    let rig = Rig::free(Graphics::halfblocks());
    rig.show(&["60x40"], SIZE);
    let larger = Size::new(40, 20);
    let stopgap = preview(&rig.get("60x40", larger));
    assert_eq!(stopgap.size(), Size::new(20, 7));
    // Too large for a smaller area: nothing is cut.
    assert!(matches!(
        rig.get("60x40", Size::new(10, 3)),
        PictureState::Loading
    ));
    let exact = preview(&rig.show(&["60x40"], larger)[0]);
    assert_eq!(exact.size(), Size::new(40, 13));
    assert_eq!(rig.decodes(), 1);
}

#[test]
fn the_broken_stay_broken_until_tried_again() {
    let rig = Rig::free(Graphics::halfblocks());
    for _ in 0..3 {
        let states = rig.show(&["bad", "30x30"], SIZE);
        assert!(matches!(&states[0], PictureState::Broken(why) if why.contains("no such file")));
        preview(&states[1]);
        rig.show(&["30x30"], SIZE);
    }
    assert_eq!(rig.decodes(), 2);
    rig.pictures.retry(&Shown::plain(ImageRef("bad".into())));
    rig.show(&["bad"], SIZE);
    assert_eq!(rig.decodes(), 3);
}

#[test]
fn a_decoder_that_panics_breaks_one_image_and_no_worker() {
    let rig = Rig::free(Graphics::halfblocks());
    let states = rig.show(&["panic", "30x30"], SIZE);
    assert!(matches!(&states[0], PictureState::Broken(_)));
    preview(&states[1]);
}

#[test]
fn memory_is_bounded_and_a_view_larger_than_the_bound_comes_to_rest() {
    let bound = 60_000;
    let rig = Rig::new(Free, Graphics::halfblocks(), bound);
    for i in 0..50 {
        rig.show(&[&format!("{i}/100x60")], SIZE);
        assert!(rig.pictures.bytes() <= bound, "{}", rig.pictures.bytes());
    }
    assert!(matches!(rig.get("0/100x60", SIZE), PictureState::Loading));
    // Five previews of 2240 bytes, with decoded images of 18 kB that cannot all stay.
    let tight = Rig::new(Free, Graphics::halfblocks(), 2500);
    let names: Vec<String> = (0..5).map(|i| format!("{i}/100x60")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for state in tight.show(&names, SIZE) {
        preview(&state);
    }
    assert_eq!(tight.decodes(), 5);
}

#[test]
fn neighbours_that_do_not_fit_into_memory_are_not_made_over_and_over() {
    let rig = Rig::new(Free, Graphics::halfblocks(), 2500);
    let neighbours: Vec<String> = (0..6).map(|i| format!("{i}/100x60")).collect();
    let neighbours: Vec<&str> = neighbours.iter().map(String::as_str).collect();
    rig.pictures
        .request(wants(&["60x40"], SIZE), wants(&neighbours, SIZE));
    rig.come_to_rest();
    assert_eq!(rig.decodes(), 7);
}

#[test]
fn a_huge_image_is_kept_reduced_and_read_again_for_a_huge_view() {
    let rig = Rig::free(graphics(Protocol::Iterm2));
    rig.show(&["3000x2000"], SIZE);
    assert!(rig.pictures.bytes() < 20 << 20, "{}", rig.pictures.bytes());
    rig.show(&["3000x2000"], Size::new(30, 15));
    assert_eq!(rig.decodes(), 1);
    rig.show(&["3000x2000"], Size::new(210, 80));
    assert_eq!(rig.decodes(), 2);
}

#[test]
fn nothing_is_made_for_an_area_of_nothing() {
    let rig = Rig::free(Graphics::halfblocks());
    let mut view = wants(&["30x30"], Size::new(0, 10));
    view.extend(wants(&["30x30"], Size::new(10, 0)));
    rig.pictures.request(view, vec![]);
    rig.show(&["60x40"], SIZE);
    assert_eq!(rig.decodes(), 1);
}

#[test]
fn a_change_of_protocol_keeps_the_old_picture_until_the_new_one_is_there() {
    let rig = Rig::free(Graphics::halfblocks());
    rig.show(&["60x40"], SIZE);
    rig.pictures.set_graphics(graphics(Protocol::Sixel));
    assert!(!preview(&rig.get("60x40", SIZE)).is_opaque() || rig.is_exact(&["60x40"], SIZE));
    let states = rig.show(&["60x40"], SIZE);
    assert!(preview(&states[0]).is_opaque());
    assert_eq!(rig.decodes(), 1);
}
