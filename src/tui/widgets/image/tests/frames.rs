//! What frames show of images, and what the terminal is sent for them.

use image::{Rgb, RgbImage};
use insta::assert_snapshot;
use ratatui::buffer::{Buffer, CellDiffOption};
use ratatui::layout::{Rect, Size};
use ratatui::style::{Color, Modifier, Style};
use ratatui::widgets::Widget;

use super::super::kitty::Numbers;
use super::super::preview::{Fit, scale};
use super::super::{Graphics, Picture, PictureState, Preview, Protocol};
use super::{Free, Rig, SIZE, graphics, preview};
use crate::tui::theme::{Depth, Role, Theme};
use crate::tui::widgets::testing::{drawn_text, text_of};

#[test]
fn images_keep_their_aspect_and_fill_one_side() {
    for (protocol, image, area, cells, pixels) in [
        (
            Protocol::Halfblocks,
            (600, 600),
            (60, 30),
            (60, 30),
            (60, 60),
        ),
        (
            Protocol::Halfblocks,
            (100, 50),
            (60, 30),
            (60, 15),
            (60, 30),
        ),
        (Protocol::Halfblocks, (1, 1000), (60, 30), (1, 30), (1, 60)),
        (
            Protocol::Sixel,
            (1024, 1024),
            (60, 40),
            (60, 30),
            (600, 600),
        ),
        (Protocol::Sixel, (1000, 333), (60, 40), (60, 10), (600, 200)),
        (Protocol::Sixel, (30, 20), (60, 40), (60, 20), (600, 400)),
        (Protocol::Kitty, (30, 20), (60, 40), (60, 20), (30, 20)),
        (
            Protocol::Kitty,
            (5000, 5000),
            (900, 900),
            (297, 149),
            (2970, 2970),
        ),
        (Protocol::Iterm2, (10_000, 1), (10, 10), (10, 1), (100, 1)),
        (Protocol::Iterm2, (1, 1), (1, 1), (1, 1), (10, 10)),
    ] {
        let area = Size::new(area.0, area.1);
        let fit = Fit::of(image.0, image.1, area, graphics(protocol));
        let expected = Fit {
            cells: Size::new(cells.0, cells.1),
            pixels,
        };
        assert_eq!(fit, expected, "{protocol} {image:?}");
    }
}

#[test]
fn scaling_keeps_flat_colours_flat_in_both_directions() {
    let image = RgbImage::from_pixel(31, 17, Rgb([12, 200, 99]));
    for (width, height) in [(7, 5), (31, 17), (100, 100), (1, 1)] {
        let scaled = scale(&image, width, height).unwrap();
        assert_eq!(scaled.dimensions(), (width, height));
        assert!(scaled.pixels().all(|p| *p == Rgb([12, 200, 99])));
    }
}

/// A picture drawn into a pane with a border, with text where it stands.
fn framed(state: &PictureState, theme: &Theme, area: Rect) -> Buffer {
    let mut buffer = Buffer::filled(Rect::new(0, 0, 24, 9), 'x'.into());
    buffer.set_style(buffer.area, Style::new().add_modifier(Modifier::REVERSED));
    Picture::new(state, theme)
        .label("a.png")
        .render(area, &mut buffer);
    buffer
}

#[test]
fn a_picture_is_centred_and_touches_nothing_around_it() {
    let rig = Rig::free(Graphics::halfblocks());
    let area = Rect::new(2, 1, 20, 7);
    let state = &rig.show(&["40x40"], area.as_size())[0];
    let buffer = framed(state, &Theme::mono(), area);
    let placed = Rect::new(5, 1, 14, 7);
    for position in buffer.area.positions() {
        let untouched = buffer[position].symbol() == "x";
        assert_eq!(untouched, !placed.contains(position), "{position:?}");
    }
    assert!(placed.positions().all(|p| buffer[p].modifier.is_empty()));
}

#[test]
fn half_blocks_show_the_picture() {
    let rig = Rig::free(Graphics::halfblocks());
    let state = &rig.show(&["4x4"], Size::new(4, 2))[0];
    let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 2));
    Picture::new(state, &Theme::mono()).render(buffer.area, &mut buffer);
    assert_snapshot!(format!("{buffer:?}"));
}

#[test]
fn half_blocks_in_256_colours_have_no_others() {
    let rig = Rig::free(Graphics {
        true_color: false,
        ..Graphics::halfblocks()
    });
    let state = &rig.show(&["64x64"], SIZE)[0];
    let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 10));
    Picture::new(state, &Theme::mono()).render(buffer.area, &mut buffer);
    for cell in &buffer.content {
        assert!(!matches!(cell.fg, Color::Rgb(..)) && !matches!(cell.bg, Color::Rgb(..)));
    }
}

#[test]
fn tiles_say_what_is_the_matter_at_every_size() {
    let broken = PictureState::Broken(
        "'edits/012/c.png': not found; was the folder moved? \u{1b}[2J".into(),
    );
    let mut shapes = Vec::new();
    for (width, height) in [(30, 6), (16, 3), (9, 1), (1, 1)] {
        for state in [&broken, &PictureState::Loading] {
            let theme = Theme::mono();
            let picture = Picture::new(state, &theme).label("c.png");
            shapes.push(drawn_text(width, height, picture));
        }
    }
    assert_snapshot!(shapes.join("\n~\n"));
}

#[test]
fn a_sixel_is_whole_in_its_first_cell_and_gives_way_to_an_overlay() {
    let rig = Rig::free(graphics(Protocol::Sixel));
    let area = Rect::new(1, 1, 20, 6);
    let state = &rig.show(&["40x40"], area.as_size())[0];
    let theme = Theme::mono();
    let buffer = framed(state, &theme, area);
    let placed = Picture::new(state, &theme)
        .image_area(area, buffer.area)
        .unwrap();
    assert_eq!(placed, Rect::new(5, 1, 12, 6));
    assert!(buffer[(5, 1)].symbol().contains("\x1bP"));
    let skipped = placed
        .positions()
        .filter(|p| buffer[*p].diff_option == CellDiffOption::Skip);
    assert_eq!(skipped.count(), 12 * 6 - 1);

    for (cover, hidden) in [
        (Rect::new(8, 3, 9, 9), true),
        (Rect::new(0, 0, 3, 9), false),
    ] {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 24, 9));
        Picture::new(state, &theme)
            .label("a.png")
            .covered_by(Some(cover))
            .render(area, &mut buffer);
        let shown = buffer.content.iter().any(|c| c.symbol().contains("\x1bP"));
        assert_eq!(shown, !hidden, "{cover:?}");
        assert_eq!(text_of(&buffer).contains("a.png"), hidden);
    }
}

#[test]
fn a_sixel_keeps_off_the_last_row_of_the_screen() {
    let rig = Rig::free(graphics(Protocol::Sixel));
    let theme = Theme::mono();
    let screen = Rect::new(0, 0, 24, 9);
    let wide = &rig.show(&["80x40"], Size::new(20, 7))[0];
    // Five rows within seven: it moves up. Five within five: it cannot, and a tile stands there.
    let picture = Picture::new(wide, &theme);
    let low = picture.image_area(Rect::new(0, 3, 20, 6), screen).unwrap();
    assert_eq!(low.bottom(), 8);
    assert_eq!(picture.image_area(Rect::new(0, 4, 20, 5), screen), None);
}

#[test]
fn every_protocol_draws_within_its_area_or_not_at_all() {
    for protocol in Protocol::ALL {
        let rig = Rig::free(graphics(protocol));
        for (width, height) in [(1, 1), (3, 1), (1, 5), (20, 6)] {
            let state = &rig.show(&["64x48"], Size::new(width, height))[0];
            let mut buffer = Buffer::empty(Rect::new(0, 0, 24, 10));
            let area = Rect::new(2, 2, width, height);
            Picture::new(state, &Theme::mono()).render(area, &mut buffer);
            let empty = Buffer::empty(buffer.area);
            for position in buffer.area.positions() {
                let touched = buffer[position] != empty[position];
                assert!(
                    !touched || area.contains(position),
                    "{protocol} {area} {position}"
                );
            }
            // Smaller than what was made: a tile, and no part of an image.
            let mut small = Buffer::empty(Rect::new(0, 0, width, height));
            let less = Rect::new(0, 0, preview(state).size().width - 1, height);
            Picture::new(state, &Theme::mono()).render(less, &mut small);
            let drawn = |b: &Buffer| b.content.iter().any(|c| c.symbol().len() > 3);
            assert!(!drawn(&small), "{protocol} {area}");
        }
    }
}

#[test]
fn kitty_images_are_sent_when_shown_and_deleted_when_forgotten() {
    // Room for two previews: each counts as the terminal holds it, 4 bytes a pixel, plus its PNG.
    let bytes = 2 * (200 * 200 * 4 + 12_000);
    let rig = Rig::new(Free, graphics(Protocol::Kitty), bytes);
    let theme = Theme::mono();
    let outgoing = |names: &[&str]| {
        for state in rig.show(names, SIZE) {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 10));
            Picture::new(&state, &theme).render(buffer.area, &mut buffer);
        }
        String::from_utf8(rig.pictures.outgoing()).unwrap()
    };
    let sent = |text: &str| text.matches("a=T").count();
    let deleted = |text: &str| text.matches("a=d").count();

    rig.show(&["a/200x200"], SIZE);
    assert!(rig.pictures.outgoing().is_empty(), "made, not shown");
    let first = outgoing(&["a/200x200"]);
    assert_eq!((sent(&first), deleted(&first)), (1, 0));
    assert!(outgoing(&["a/200x200"]).is_empty(), "the terminal has it");
    let mut texts = String::new();
    for i in 0..6 {
        texts += &outgoing(&[&format!("{i}/200x200")]);
    }
    assert_eq!(sent(&texts), 6);
    let bye = String::from_utf8(rig.pictures.goodbye_bytes()).unwrap();
    let live = 7 - deleted(&texts);
    assert!((1..=2).contains(&live), "{live}");
    assert_eq!(deleted(&bye), live);
    assert!(rig.pictures.goodbye_bytes().is_empty());
    // Back from a suspension: what is shown is sent again.
    assert_eq!(sent(&outgoing(&["5/200x200"])), 1);
}

#[test]
fn kitty_images_survive_an_overlay_on_their_first_cell() {
    let rig = Rig::free(graphics(Protocol::Kitty));
    let state = &rig.show(&["40x40"], SIZE)[0];
    let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 10));
    Picture::new(state, &Theme::mono())
        .covered_by(Some(Rect::new(0, 0, 3, 3)))
        .render(buffer.area, &mut buffer);
    assert!(buffer[(19, 9)].symbol().starts_with('\u{10EEEE}'));
    assert!(!rig.pictures.outgoing().is_empty());
}

#[test]
fn one_protocol_made_directly_equals_the_picture_in_size() {
    let image = RgbImage::from_pixel(300, 200, Rgb([1, 2, 3]));
    let numbers = Numbers::new(false);
    for protocol in Protocol::ALL {
        let graphics = graphics(protocol);
        let fit = Fit::of(300, 200, SIZE, graphics);
        let scaled = scale(&image, fit.pixels.0, fit.pixels.1).unwrap();
        let preview = Preview::encode(scaled, fit, graphics, &numbers).unwrap();
        assert!(preview.fits(SIZE) && !preview.fits(Size::new(20, 1)));
        assert!(preview.bytes() > 0);
        assert_eq!(preview.is_opaque(), protocol.is_opaque());
    }
}

#[test]
fn tiles_are_shaded_where_there_is_colour() {
    let theme = Theme::load("graphite").unwrap().at_depth(Depth::True);
    let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 3));
    Picture::new(&PictureState::Loading, &theme).render(buffer.area, &mut buffer);
    assert_ne!(buffer[(0, 0)].bg, Color::Reset);
    assert_eq!(buffer[(3, 1)].fg, theme[Role::Dim].fg.unwrap());
}
