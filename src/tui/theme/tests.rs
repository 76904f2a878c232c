//! Every embedded theme is whole and legible, and every mistake in a file of the user's is told with its place.

use std::fs;

use super::*;

fn all() -> Vec<Theme> {
    Theme::names()
        .into_iter()
        .map(|name| Theme::load(name).unwrap())
        .collect()
}

/// Roles that are text on whatever ground they are drawn on.
const TEXT_ROLES: [Role; 13] = [
    Role::Text,
    Role::Dim,
    Role::Accent,
    Role::Title,
    Role::Good,
    Role::Fair,
    Role::Bad,
    Role::Warning,
    Role::AxisIf,
    Role::AxisVq,
    Role::Aggregate,
    Role::Human,
    Role::KeyHint,
];

#[test]
fn two_are_dark_one_is_light_and_one_is_for_every_colour_vision() {
    let light: Vec<bool> = all()
        .iter()
        .map(|t| t.background().unwrap().luminance() > 0.5)
        .collect();
    assert_eq!(Theme::names(), ["graphite", "ember", "paper", "okabe-ito"]);
    assert_eq!(light, [false, false, true, false]);
}

#[test]
fn text_reads_on_every_ground_that_a_theme_paints() {
    for theme in all() {
        let background = theme.background().unwrap();
        let ground = |role: Role| theme[role].bg.and_then(Rgb::of).unwrap_or(background);
        let grounds = [Role::Text, Role::Selected, Role::StatusBar, Role::Overlay].map(ground);
        for role in TEXT_ROLES {
            let ink = theme[role].fg.and_then(Rgb::of).unwrap();
            for ground in grounds {
                let ratio = ink.contrast(ground);
                assert!(
                    ratio >= 4.5,
                    "{}: {role:?} on {ground:?}: {ratio:.2}",
                    theme.name()
                );
            }
        }
        for role in [Role::StatusBar, Role::Overlay, Role::Banner] {
            let ratio = theme[role]
                .fg
                .and_then(Rgb::of)
                .unwrap()
                .contrast(ground(role));
            assert!(ratio >= 4.5, "{}: {role:?}: {ratio:.2}", theme.name());
        }
    }
}

#[test]
fn curves_and_the_focused_border_stand_out_from_the_ground() {
    for theme in all() {
        let ground = theme.background().unwrap();
        let mut inks = vec![theme[Role::BorderFocused]];
        inks.extend((0..8).map(|i| theme.series(i)));
        for ink in inks {
            let ratio = ink.fg.and_then(Rgb::of).unwrap().contrast(ground);
            assert!(ratio >= 3.0, "{}: {ink:?}: {ratio:.2}", theme.name());
        }
        let border = theme[Role::Border].fg.and_then(Rgb::of).unwrap();
        assert!(border.contrast(ground) >= 1.5, "{}", theme.name());
    }
}

/// A colour as seen without one kind of cone, after Viénot, Brettel and Mollon (1999), in linear light.
fn as_seen(rgb: Rgb, deuteranope: bool) -> [f64; 3] {
    let [r, g, b] = [rgb.0, rgb.1, rgb.2].map(|v| (f64::from(v) / 255.0).powf(2.2));
    let l = 17.8824 * r + 43.5161 * g + 4.119_35 * b;
    let m = 3.455_65 * r + 27.1554 * g + 3.867_14 * b;
    let s = 0.029_956_6 * r + 0.184_309 * g + 1.467_09 * b;
    let (l, m) = if deuteranope {
        (l, 0.494_207 * l + 1.248_27 * s)
    } else {
        (2.023_44 * m - 2.525_81 * s, m)
    };
    [
        0.080_944 * l - 0.130_504 * m + 0.116_721 * s,
        -0.010_248_5 * l + 0.054_019_4 * m - 0.113_615 * s,
        -0.000_365_294 * l - 0.004_121_63 * m + 0.693_513 * s,
    ]
}

/// CIE 1976 difference of two colours in linear sRGB.
fn difference(a: [f64; 3], b: [f64; 3]) -> f64 {
    let lab = |[r, g, b]: [f64; 3]| {
        let f = |t: f64| {
            if t > 0.008_856 {
                t.cbrt()
            } else {
                7.787 * t + 16.0 / 116.0
            }
        };
        let x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
        let y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
        let z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    };
    let (a, b) = (lab(a), lab(b));
    (0..3).map(|i| (a[i] - b[i]).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn good_from_bad_and_axis_from_axis_are_told_apart_without_red_and_green() {
    for theme in all() {
        let ink = |role: Role| theme[role].fg.and_then(Rgb::of).unwrap();
        for (a, b) in [(Role::Good, Role::Bad), (Role::AxisIf, Role::AxisVq)] {
            for deuteranope in [true, false] {
                let seen = [a, b].map(|role| as_seen(ink(role), deuteranope));
                let difference = difference(seen[0], seen[1]);
                assert!(
                    difference >= 20.0,
                    "{}: {a:?}, {b:?}: {difference:.1}",
                    theme.name()
                );
            }
        }
    }
}

#[test]
fn the_first_four_candidates_of_okabe_ito_differ_for_everyone() {
    let theme = Theme::load("okabe-ito").unwrap();
    let inks: Vec<Rgb> = (0..4)
        .map(|i| theme.series(i).fg.and_then(Rgb::of).unwrap())
        .collect();
    for (i, a) in inks.iter().enumerate() {
        for b in &inks[..i] {
            for deuteranope in [true, false] {
                let difference = difference(as_seen(*a, deuteranope), as_seen(*b, deuteranope));
                assert!(difference >= 15.0, "{a:?} {b:?}: {difference:.1}");
            }
        }
    }
}

#[test]
fn the_default_follows_the_terminal() {
    assert_eq!(Theme::for_background(None).name(), "graphite");
    assert_eq!(
        Theme::for_background(Some((0x1d, 0x20, 0x21))).name(),
        "graphite"
    );
    assert_eq!(
        Theme::for_background(Some((0xfd, 0xf6, 0xe3))).name(),
        "paper"
    );
}

#[test]
fn without_colour_there_is_none_and_marks_still_differ() {
    let mono = Theme::mono();
    for role in Role::ALL {
        assert_eq!((mono[role].fg, mono[role].bg), (None, None));
    }
    assert_eq!(mono.shade(Role::Good, 1.0), Style::new());
    assert_eq!(mono.series(3), Style::new());
    for i in 0..8 {
        for j in 0..i {
            assert_ne!(mono.series_glyph(i), mono.series_glyph(j));
        }
    }
}

#[test]
fn a_terminal_of_256_colours_gets_no_others() {
    let theme = Theme::load("graphite").unwrap().at_depth(Depth::Indexed);
    let mut styles: Vec<Style> = Role::ALL.iter().map(|role| theme[*role]).collect();
    styles.extend((0..8).map(|i| theme.series(i)));
    styles.push(theme.shade(Role::Good, 0.5));
    for style in styles {
        for color in [style.fg, style.bg].into_iter().flatten() {
            assert!(matches!(color, Color::Indexed(_)), "{color:?}");
        }
    }
    let back = theme.at_depth(Depth::True);
    assert_eq!(back, Theme::load("graphite").unwrap());
}

/// Loads a file of this text, and returns the error without its folder.
fn refused(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    fs::write(&path, text).unwrap();
    let error = Theme::load(path.to_str().unwrap()).unwrap_err().to_string();
    error.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn a_child_recolours_what_it_inherits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    fs::write(
        folder.path().join("base.toml"),
        "inherits = \"graphite\"\n[palette]\nsky = \"#00ffff\"\n",
    )
    .unwrap();
    fs::write(
        &path,
        "inherits = \"base.toml\"\n[roles]\ndim = { fg = \"#abc\", italic = true }\n",
    )
    .unwrap();
    let theme = Theme::load(path.to_str().unwrap()).unwrap();
    assert_eq!(theme[Role::AxisIf].fg, Some(Color::Rgb(0, 255, 255)));
    assert_eq!(
        theme[Role::Dim],
        Style::new().fg(Color::Rgb(0xaa, 0xbb, 0xcc)).italic()
    );
    assert_eq!(
        theme[Role::Bad],
        Theme::load("graphite").unwrap()[Role::Bad]
    );
}

#[test]
fn mistakes_are_told_with_file_line_and_key() {
    for (text, expected) in [
        (
            "inherits = \"graphite\"\n\nbackgruond = \"#000\"",
            "mine.toml:3: 'backgruond': unknown key",
        ),
        (
            "[roles]\nacent = \"#fff\"",
            "mine.toml:2: 'roles.acent': unknown role; known are text,",
        ),
        (
            "inherits = \"graphite\"\n[roles]\n\naccent = \"chartreuse\"",
            "mine.toml:4: 'roles.accent': 'chartreuse' is neither",
        ),
        (
            "[palette]\nred = \"red\"",
            "mine.toml:2: 'palette.red': 'red' is no colour",
        ),
        (
            "[palette]\nred = 3",
            "mine.toml:2: 'palette.red': must be a string",
        ),
        (
            "[roles]\ntext = { fg = \"#fff\", bould = true }",
            "mine.toml:2: 'roles.text.bould': unknown key",
        ),
        (
            "[roles]\ntext = { bold = \"yes\" }",
            "mine.toml:2: 'roles.text.bold': must be true or false",
        ),
        (
            "[roles]\ntext = 7",
            "mine.toml:2: 'roles.text': must be a colour or a table",
        ),
        ("roles = 7", "mine.toml:1: 'roles': must be a table"),
        (
            "series = []",
            "mine.toml:1: 'series': must name at least one colour",
        ),
        (
            "inherits = \"gruvbox\"",
            "mine.toml:1: 'inherits': there is no theme 'gruvbox'",
        ),
        (
            "inherits = \"mine.toml\"",
            "mine.toml:1: 'inherits': 'mine.toml' inherits from itself",
        ),
        (
            "inherits = \"gone.toml\"",
            "mine.toml:1: 'inherits': 'gone.toml' cannot be read",
        ),
        (
            "background = \"#000\"",
            "mine.toml:1: 'roles.text': is missing",
        ),
        ("", "mine.toml:1: 'background': is missing"),
        ("a = 1\nb = = 2", "mine.toml:2: not TOML"),
    ] {
        let error = refused(text);
        assert!(
            error.starts_with(expected),
            "{error}\n    instead of {expected}"
        );
    }
}

#[test]
fn an_unknown_name_and_a_missing_file_are_told_apart() {
    let unknown = Theme::load("solarized").unwrap_err().to_string();
    assert!(
        unknown.contains("'solarized'") && unknown.contains("okabe-ito"),
        "{unknown}"
    );
    let missing = Theme::load("no/such.toml").unwrap_err().to_string();
    assert!(missing.contains("no/such.toml"), "{missing}");
}
