//! Two reports in every format: one with all there can be, one of whose data means harm and measures nothing.

use super::html::STYLE;
use super::*;
use crate::bench::answer::Usage;
use crate::bench::leaderboard::board;
use crate::bench::protocol::{FigureAbout, Table, Unanswered, Unit};
use crate::bench::report::{DataInfo, Figure, Resampling, UnscoredEdits};
use crate::bench::scorer::ScorerInfo;
use crate::domain::stats::Bin;

fn figure(key: &str, name: &str, of: usize, value: Option<f64>) -> Figure {
    Figure {
        about: FigureAbout::new(key, name, of),
        value,
        undefined: value.is_none().then(|| "there are no judgements".into()),
        interval: value.map(|v| [v - 0.03, v + 0.0275]),
        undefined_resamples: 0,
    }
}

fn table(title: &str, columns: [&str; 3], rows: &[(&str, Option<f64>, f64)]) -> Table {
    Table {
        title: title.into(),
        columns: columns.map(Into::into).into(),
        rows: rows
            .iter()
            .map(|(name, value, count)| ((*name).to_owned(), vec![*value, Some(*count)]))
            .collect(),
    }
}

/// A scorer with probabilities on GenAI-Bench.
fn whole() -> Measured {
    let mut figures = vec![
        figure("calibrated", "calibrated ties", 919, Some(0.637_65)),
        figure("strict", "without ties", 702, Some(0.701_25)),
        figure("four-labels", "four labels", 919, Some(0.5)),
    ];
    figures[0].about.floor = Some((0.431, "all ties".into()));
    figures[0].about.note = Some("differences up to 0.1250 are ties".into());
    figures[1].about.floor = Some((0.5, "coin flips".into()));
    figures[1].undefined_resamples = 2;
    figures[2].interval = None;
    let bin = |confidence, right, count| Bin {
        confidence,
        right,
        count,
    };
    Measured {
        run: "20261126-101500-bench-run".into(),
        report: Report {
            benchmark: "genai-edit".into(),
            name: "GenAI-Bench, editing".into(),
            publisher: "TIGER-Lab".into(),
            protocol: "Accuracy with the threshold that is best on these pairs.".into(),
            unit: Unit::Percent,
            scorer: Some(ScorerInfo {
                name: "demo".into(),
                kind: "model".into(),
                fingerprint: "5ad1".into(),
            }),
            data: DataInfo {
                path: "data/genai".into(),
                fingerprint: "00ff".into(),
                cases: 919,
                images: true,
                ..DataInfo::default()
            },
            unanswered: Unanswered::default(),
            unscored: UnscoredEdits::default(),
            figures,
            tables: vec![table(
                "by editor",
                ["editor", "strict", "pairs"],
                &[
                    ("MagicBrush", Some(0.75), 120.0),
                    ("CycleDiffusion", None, 0.0),
                ],
            )],
            reliability: vec![
                bin(0.53, 0.51, 210),
                bin(0.66, 0.62, 300),
                bin(0.93, 0.8, 192),
            ],
            calibration_error: Some(0.058_25),
            coverage: vec![(0.1, 0.9), (0.25, 0.84), (0.5, 0.78), (1.0, 0.7012)],
            usage: Some(Usage {
                requests: 12,
                tokens_in: 3400,
                tokens_out: 56,
            }),
            cost: None,
            resampling: Resampling {
                resamples: 1000,
                seed: 1,
            },
            clusters: 100,
        },
    }
}

const HARM: &str = "<script>alert('x')</script> & \"y\" | z\n# w \u{1b}[31m\u{202e}`q` [l](u) =1+1";

/// Every text is hostile, no figure has a value, and records are left out.
fn hostile() -> Measured {
    let mut undefined = figure("published", HARM, 0, None);
    undefined.undefined = Some(HARM.into());
    undefined.about.note = Some(HARM.into());
    undefined.about.floor = Some((-0.000_01, HARM.into()));
    let mut rows = table(HARM, ["editor", "Spearman", "edits"], &[(HARM, None, 2.0)]);
    rows.columns[0] = HARM.into();
    Measured {
        run: HARM.into(),
        report: Report {
            benchmark: "imagenhub".into(),
            name: HARM.into(),
            publisher: HARM.into(),
            protocol: HARM.into(),
            unit: Unit::Percent,
            scorer: Some(ScorerInfo {
                name: HARM.into(),
                kind: HARM.into(),
                fingerprint: HARM.into(),
            }),
            data: DataInfo {
                path: HARM.into(),
                fingerprint: HARM.into(),
                cases: 3,
                left_out: 9,
                bad: (0..9).map(|i| format!("a.json:{i}: {HARM}")).collect(),
                images: false,
            },
            unanswered: Unanswered {
                missing: 2,
                unparsed: 1,
                first: Some(HARM.into()),
            },
            unscored: UnscoredEdits {
                edits: 1,
                first: vec![HARM.into()],
            },
            figures: vec![undefined],
            tables: vec![rows],
            reliability: Vec::new(),
            calibration_error: None,
            coverage: Vec::new(),
            usage: None,
            cost: None,
            resampling: Resampling {
                resamples: 0,
                seed: 1,
            },
            clusters: 3,
        },
    }
}

fn rendered(format: Format, measured: &[Measured]) -> String {
    render(format, measured, &board(measured))
}

fn both(format: Format) -> String {
    rendered(format, &[whole(), hostile()])
}

#[test]
fn markdown() {
    insta::assert_snapshot!(both(Format::Markdown));
}

#[test]
fn html() {
    // The style would only be here twice.
    insta::assert_snapshot!(both(Format::Html).replace(STYLE, ""));
}

#[test]
fn comma_separated() {
    // A snapshot has no place for carriage returns.
    let text = both(Format::Csv);
    assert_eq!(text.matches("\r\n").count(), text.matches('\n').count());
    insta::assert_snapshot!(text.replace("\r\n", "\n"));
}

#[test]
fn json() {
    insta::assert_snapshot!(both(Format::Json));
}

#[test]
fn json_keeps_reports_whole() {
    let measured = [whole(), hostile()];
    let value: serde_json::Value = serde_json::from_str(&both(Format::Json)).unwrap();
    for (one, run) in measured.iter().zip(value["runs"].as_array().unwrap()) {
        assert_eq!(run["run"], one.run);
        let back: Report = serde_json::from_value(run.clone()).unwrap();
        assert_eq!(back, one.report);
    }
    let rows = value["leaderboard"]["rows"].as_array().unwrap();
    assert_eq!(rows[0]["cells"][0]["value"], 0.637_65);
    assert_eq!(rows.last().unwrap()["kind"], "published");
}

/// The tags of a page, opening ones with their attributes; fails where a `<` or `&` is neither markup nor escaped.
fn tags(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in page.match_indices('<') {
        let end = at + page[at..].find('>').expect("a tag that ends");
        let tag = &page[at + 1..end];
        assert!(
            tag.trim_start_matches(['/', '!'])
                .starts_with(|c: char| c.is_ascii_lowercase()),
            "no tag: {tag}"
        );
        found.push(tag.to_owned());
    }
    for (at, _) in page.match_indices('&') {
        let rest = &page[at + 1..];
        let known = ["amp;", "lt;", "gt;", "quot;", "#39;"];
        assert!(
            known.iter().any(|k| rest.starts_with(k)),
            "bare & in {:?}",
            &rest[..20]
        );
    }
    found
}

#[test]
fn every_tag_is_closed_in_order_and_every_id_is_one_and_exists() {
    let page = both(Format::Html).replace(STYLE, "");
    let (mut open, mut ids, mut named) = (Vec::new(), Vec::new(), Vec::new());
    for tag in tags(&page) {
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        let attribute = |key: &str| {
            let value = tag.split_once(&format!(" {key}=\""))?.1;
            value.split('"').next().map(str::to_owned)
        };
        ids.extend(attribute("id"));
        named.extend(
            ["aria-labelledby", "href"]
                .iter()
                .filter_map(|key| attribute(key))
                .flat_map(|v| {
                    v.split(' ')
                        .map(|id| id.trim_start_matches('#').to_owned())
                        .collect::<Vec<_>>()
                }),
        );
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(closed), "in {tag}");
        } else if !tag.ends_with('/') && !["!doctype", "meta"].contains(&name) {
            open.push(name.to_owned());
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id twice");
    for name in named {
        assert!(ids.contains(&name), "no id '{name}'");
    }
}

#[test]
fn no_text_from_data_is_markup_in_html() {
    let page = both(Format::Html);
    assert!(!page.contains("<script"));
    assert!(!page.contains(['\u{1b}', '\u{202e}']));
    assert!(
        page.contains(
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;y&quot; | z # w"
        )
    );
    let allowed = [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "h1",
        "h2",
        "h3",
        "p",
        "nav",
        "ol",
        "ul",
        "li",
        "a",
        "main",
        "section",
        "dl",
        "dt",
        "dd",
        "div",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "span",
        "figure",
        "figcaption",
        "svg",
        "desc",
        "line",
        "text",
        "circle",
        "rect",
        "polyline",
        "!doctype",
    ];
    for tag in tags(&page.replace(STYLE, "")) {
        let name = tag
            .trim_start_matches('/')
            .split([' ', '/'])
            .next()
            .unwrap_or_default();
        assert!(allowed.contains(&name), "a tag of {tag}");
    }
}

#[test]
fn the_page_fetches_nothing() {
    let page = both(Format::Html).replace("http://www.w3.org/2000/svg", "");
    for outside in [
        "http:",
        "https:",
        "url(",
        "@import",
        " src=",
        "<link",
        "javascript:",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn no_text_from_data_is_markup_in_markdown() {
    let page = both(Format::Markdown);
    assert!(!page.contains(['\u{1b}', '\u{202e}']));
    assert!(page.contains(
        "\\<script\\>alert('x')\\</script\\> \\& \"y\" \\| z \\# w [31m\\`q\\` [l\\](u) =1+1"
    ));
    // All rows of a table have the same number of cells.
    for table in page.split("\n\n").filter(|part| part.starts_with('|')) {
        let cells = |line: &str| line.replace("\\|", "").matches('|').count();
        let counts: Vec<usize> = table.lines().map(cells).collect();
        assert!(counts.iter().all(|n| *n == counts[0]), "{table}");
    }
}

#[test]
fn a_plot_has_a_point_a_bin_a_point_of_the_curve_and_a_defined_figure() {
    let points = |plot: &str| plot.matches("<circle class=\"point\"").count();
    let report = whole().report;
    let reliability = svg::reliability(&report.reliability, "r").unwrap();
    assert_eq!(points(&reliability), 3);
    assert_eq!(reliability.matches("<rect class=\"bar\"").count(), 3);
    assert_eq!(reliability.matches("class=\"ideal\"").count(), 1);
    let coverage = svg::coverage(&report, "c").unwrap();
    assert_eq!(points(&coverage), 4);
    assert_eq!(coverage.matches("<line class=\"floor\"").count(), 2);
    assert!(coverage.contains("coin flips 50.00") && coverage.contains("all ties 43.10"));
    let mut some = report;
    some.figures.push(hostile().report.figures.remove(0));
    let forest = svg::forest(&some, "f").unwrap();
    assert_eq!(points(&forest), 3);
    // Two intervals with two ends each.
    assert_eq!(forest.matches("<line class=\"interval\"").count(), 6);
    assert_eq!(forest.matches("<line class=\"floor\"").count(), 3);
    assert!(forest.contains("undefined: &lt;script&gt;"));
}

#[test]
fn a_long_curve_is_drawn_from_two_percent_on_with_its_last_point_only() {
    let mut report = whole().report;
    report.coverage = (1..=200).map(|i| (f64::from(i) / 200.0, 0.8)).collect();
    let plot = svg::coverage(&report, "c").unwrap();
    assert_eq!(plot.matches("<circle class=\"point\"").count(), 1);
    let (_, rest) = plot.split_once(" points=\"").unwrap();
    assert_eq!(rest.split('"').next().unwrap().split(' ').count(), 197);
}

#[test]
fn what_was_not_measured_is_not_drawn() {
    let report = hostile().report;
    assert!(svg::reliability(&report.reliability, "r").is_none());
    assert!(svg::coverage(&report, "c").is_none());
    assert!(svg::forest(&report, "f").is_none());
}

#[test]
fn without_runs_the_published_rows_remain() {
    let page = rendered(Format::Markdown, &[]);
    assert!(
        page.contains("| GPT-4o | published (EditReward, table 3) | - | 53.54 |"),
        "{page}"
    );
    assert_eq!(rendered(Format::Csv, &[]).lines().count(), 1);
}

#[test]
fn people_against_each_other_have_no_scorer() {
    let mut measured = whole();
    measured.report.scorer = None;
    let page = rendered(Format::Markdown, &[measured.clone()]);
    assert!(page.contains("\n## GenAI-Bench, editing\n"));
    assert!(page.contains("nobody is asked"));
    assert!(rendered(Format::Csv, &[measured]).contains(",TIGER-Lab,,,calibrated,0.63765,"));
}

#[test]
fn a_format_that_there_is_not_is_answered_with_those_that_there_are() {
    for format in Format::ALL {
        assert_eq!(format.key().parse(), Ok(format));
    }
    assert_eq!(
        "pdf".parse::<Format>(),
        Err("there is no format 'pdf'; there are md, html, csv, json".into())
    );
}
