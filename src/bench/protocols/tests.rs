//! The protocols on small data whose figures can be counted by hand.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::bench::answer::{Said, Score};
use crate::bench::case::{Case, Dataset, Edit, Order, Truth, Vote};
use crate::bench::protocol::{Answered, Prepared};

/// Cases of votes between two edits.
fn cases(orders: &[Order]) -> Dataset {
    let case = |(i, order): (usize, &Order)| Case {
        id: i.to_string(),
        instruction: "x".into(),
        source: None,
        edits: vec![Edit::default(); 2],
        category: None,
        truth: Truth::Order(order.clone()),
        recorded: BTreeMap::new(),
        unseen: None,
        cluster: i.to_string(),
    };
    Dataset {
        cases: orders.iter().enumerate().map(case).collect(),
        ..Dataset::default()
    }
}

fn figures(key: &str, set: &Dataset, said: &[Said]) -> BTreeMap<String, Option<f64>> {
    let answered: Vec<Answered<'_>> = set
        .cases
        .iter()
        .zip(said)
        .map(|(case, said)| Answered { case, said })
        .collect();
    let prepared = find(key).unwrap().prepare(&answered);
    values(prepared)
}

fn values(prepared: Prepared<'_>) -> BTreeMap<String, Option<f64>> {
    let measured = (prepared.measure)(&vec![1; prepared.clusters]);
    assert_eq!(measured.len(), prepared.figures.len());
    let keys = prepared.figures.into_iter().map(|about| about.key);
    let fixed = prepared.fixed.into_iter().map(|(a, v)| (a.key, v.ok()));
    keys.zip(measured.into_iter().map(Result::ok))
        .chain(fixed)
        .collect()
}

fn vote(vote: Vote) -> Said {
    Said::Votes(vec![(0, 1, vote)])
}

fn scores(values: &[f64]) -> Said {
    Said::Scores(values.iter().map(|v| Some(Score::plain(*v))).collect())
}

fn unparsed() -> Said {
    sources::unparsed("?")
}

fn written(text: &str, name: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    (dir, path)
}

const FIRST: fn() -> Order = || Order::Strict(vec![0, 1]);
const SECOND: fn() -> Order = || Order::Strict(vec![1, 0]);

#[test]
fn four_labels_have_to_be_exact_but_a_bare_tie_counts_for_either() {
    let set = cases(&[
        FIRST(),
        SECOND(),
        Order::AllGood,
        Order::AllBad,
        Order::AllBad,
    ]);
    let said = [
        vote(Vote::First),
        unparsed(),
        vote(Vote::BothBad),
        vote(Vote::BothBad),
        vote(Vote::Tie),
    ];
    let all = figures("genai-edit", &set, &said);
    assert_eq!(all["four-label"], Some(3.0 / 5.0));
    // Good and bad ties are one class: only the answer that could not be understood is wrong.
    assert_eq!(all["calibrated"], Some(4.0 / 5.0));
    assert_eq!(all["strict"], Some(1.0 / 2.0));
}

#[test]
fn a_scalar_scorer_has_no_four_labels_and_its_equal_scores_are_strictly_wrong() {
    let set = cases(&[FIRST(), SECOND(), FIRST(), Order::Tie]);
    let said = [
        scores(&[2.0, 1.0]),
        scores(&[2.0, 1.0]),
        scores(&[1.0, 1.0]),
        scores(&[1.0, 1.0]),
    ];
    let all = figures("genai-edit", &set, &said);
    assert!(!all.contains_key("four-label"));
    assert_eq!(all["strict"], Some(1.0 / 3.0));
    assert_eq!(all["calibrated"], Some(0.5));
}

#[test]
fn the_published_calibration_splits_equal_differences_and_ours_does_not() {
    let set = cases(&[Order::Tie, FIRST()]);
    let said = [scores(&[0.5, 0.0]), scores(&[0.5, 0.0])];
    let all = figures("genai-edit", &set, &said);
    assert_eq!(all["calibrated"], Some(0.5));
    assert_eq!(all["calibrated-as-published"], Some(1.0));
}

#[test]
fn cases_without_an_answer_are_left_out_and_counted() {
    let set = cases(&[FIRST(), SECOND()]);
    let none = Said::Nothing {
        reason: "no image".into(),
        unparsed: false,
    };
    let said = [scores(&[2.0, 1.0]), none];
    assert_eq!(figures("genai-edit", &set, &said)["strict"], Some(1.0));
    let answered: Vec<Answered<'_>> = set
        .cases
        .iter()
        .zip(&said)
        .map(|(case, said)| Answered { case, said })
        .collect();
    let unanswered = find("genai-edit").unwrap().prepare(&answered).unanswered;
    assert_eq!((unanswered.missing, unanswered.unparsed), (1, 0));
    assert_eq!(unanswered.first.as_deref(), Some("no image"));
}

#[test]
fn positions_are_told_apart_and_every_strict_vote_is_posed_in_both() {
    let (_dir, path) = written(
        r#"[{"idx": 0, "human_vote": "leftvote", "judge_vote": "[[A>B]]"},
            {"idx": 1, "human_vote": "tievote", "judge_vote": "[[A>B]]"}]"#,
        "image_edition_joined.json",
    );
    let set = find("positional-bias").unwrap().read(&path).unwrap();
    let told: Vec<_> = set
        .cases
        .iter()
        .map(|c| (c.id.as_str(), &c.truth))
        .collect();
    assert_eq!(
        told,
        [
            ("0", &Truth::Order(FIRST())),
            ("0~turned", &Truth::Order(SECOND()))
        ]
    );
    // A judge that always prefers what is left.
    let said = [vote(Vote::First), vote(Vote::First)];
    let all = figures("positional-bias", &set, &said);
    assert_eq!(
        (all["left"], all["right"], all["gap"]),
        (Some(1.0), Some(0.0), Some(1.0))
    );
}

/// Cases of three edits.
fn triples(orders: &[[usize; 3]]) -> Dataset {
    let mut set = cases(&vec![Order::Tie; orders.len()]);
    for (case, order) in set.cases.iter_mut().zip(orders) {
        case.edits = vec![Edit::default(); 3];
        case.truth = Truth::Order(Order::Strict(order.to_vec()));
    }
    set
}

#[test]
fn a_tuple_is_right_only_as_a_whole_and_equal_scores_are_wrong() {
    let set = triples(&[[2, 0, 1], [2, 0, 1], [0, 1, 2]]);
    let said = [
        scores(&[0.5, 0.1, 0.9]),
        scores(&[0.5, 0.9, 0.1]),
        // The published code ranks the later of two equals first, and would be right or wrong by their order.
        scores(&[0.9, 0.5, 0.5]),
    ];
    let all = figures("editreward-bench", &set, &said);
    assert_eq!(
        (all["k3"], all["overall"]),
        (Some(1.0 / 3.0), Some(1.0 / 3.0))
    );
    assert_eq!((all["k2"], all["k4"]), (None, None));
    assert_eq!(all["k3-as-published"], Some(1.0 / 3.0));
    let last_is_second = triples(&[[0, 2, 1]]);
    let all = figures("editreward-bench", &last_is_second, &said[2..]);
    assert_eq!((all["k3"], all["k3-as-published"]), (Some(0.0), Some(1.0)));
}

#[test]
fn the_published_rule_ranks_equal_scores_as_numpy_does() {
    // numpy.argsort(scores)[::-1], NumPy 2 on a processor with AVX2 or later.
    let mut set = triples(&[[0, 1, 2]; 3]);
    let orders = [[1, 0, 3, 2], [0, 1, 2, 3], [2, 1, 3, 0]];
    let scored = [
        [0.6, 0.6, 0.0, 0.0],
        [0.6, 0.6, 0.0, 0.0],
        [0.0, 0.6, 0.7, 0.0],
    ];
    for (case, order) in set.cases.iter_mut().zip(orders) {
        case.edits = vec![Edit::default(); 4];
        case.truth = Truth::Order(Order::Strict(order.to_vec()));
    }
    let said: Vec<Said> = scored.iter().map(|s| scores(s)).collect();
    let all = figures("editreward-bench", &set, &said);
    assert_eq!(all["k4"], Some(0.0));
    assert_eq!(all["k4-as-published"], Some(2.0 / 3.0));
}

#[test]
fn a_judge_of_pairs_is_right_on_a_tuple_when_all_its_calls_are() {
    let set = triples(&[[0, 1, 2], [0, 1, 2]]);
    let calls = |last: Vote| {
        Said::Votes(vec![
            (0, 1, Vote::First),
            (2, 0, Vote::Second),
            (1, 2, last),
        ])
    };
    let said = [calls(Vote::First), calls(Vote::Tie)];
    assert_eq!(figures("editreward-bench", &set, &said)["k3"], Some(0.5));
}

#[test]
fn a_pair_is_judged_strictly_and_a_tie_by_the_threshold_in_the_overall_figure() {
    let set = cases(&[
        FIRST(),
        Order::AllBad,
        Order::AllBad,
        Order::AllGood,
        SECOND(),
    ]);
    let said = [
        scores(&[0.9, 0.0]),
        scores(&[0.16, 0.0]),
        scores(&[0.0, 0.2]),
        scores(&[1.5, 0.0]),
        // Right, but within what is best taken for a tie.
        scores(&[0.0, 0.15]),
    ];
    let all = figures("editreward-bench", &set, &said);
    // Up to 0.2 all is a tie: two of three ties, and the first.
    assert_eq!(all["k2"], Some(3.0 / 5.0));
    assert_eq!(all["overall"], Some(4.0 / 5.0));
}

#[test]
fn rankings_of_all_published_forms_are_read_and_others_refused() {
    let read = |text: &str, edits| sources::ranking(text, edits);
    assert_eq!(read("A>B", 2), Ok(FIRST()));
    assert_eq!(read("B>A", 2), Ok(SECOND()));
    assert_eq!(read("A<B", 2), Ok(SECOND()));
    assert_eq!(read("A=B=Good", 2), Ok(Order::AllGood));
    assert_eq!(read("C>A>B", 3), Ok(Order::Strict(vec![2, 0, 1])));
    for (text, edits) in [("C>A", 3), ("A>A>B", 3), ("A>B>C", 2), ("best", 2), ("", 2)] {
        let error = read(text, edits).unwrap_err();
        assert!(error.contains(&format!("'{text}'")), "{error}");
    }
}

#[test]
fn the_hubs_rows_of_comparisons_become_groups_again() {
    let head = "id,dataset,instruction,source_image,candidate_1,candidate_2,ranking,comparison_type,model_1,model_2,num_candidates";
    let rows = [
        "t1_0,3pair,x,s.png,a.png,b.png,A>B,AvsB,m,n,3",
        "t1_1,3pair,x,s.png,a.png,c.png,B>A,AvsC,m,o,3",
        "t1_2,3pair,x,s.png,b.png,c.png,C>B,BvsC,n,o,3",
        "t2_0,2pair,y,t.png,a.png,b.png,A=B=Bad,AvsB,m,n,2",
        "t3_0,3pair,z,u.png,a.png,b.png,A>B,AvsB,m,n,3",
        "t4_0,2pair,z,u.png,a.png,b.png,A>B,first,m,n,2",
    ];
    let (_dir, path) = written(&format!("{head}\n{}\n", rows.join("\n")), "hub.csv");
    let set = find("editreward-bench").unwrap().read(&path).unwrap();
    let told: Vec<_> = set
        .cases
        .iter()
        .map(|c| (c.id.as_str(), &c.truth))
        .collect();
    let whole = Truth::Order(Order::Strict(vec![2, 0, 1]));
    let tie = Truth::Order(Order::AllBad);
    assert_eq!(told, [("t1", &whole), ("t2", &tie)]);
    let editors: Vec<_> = set.cases[0]
        .edits
        .iter()
        .map(|e| e.editor.clone())
        .collect();
    assert_eq!(editors, ["m", "n", "o"].map(|e| Some(e.to_owned())));
    assert_eq!(set.bad.len(), 2, "{:?}", set.bad);
    assert!(set.bad[0].contains("hub.csv:7") && set.bad[0].contains("'comparison_type'"));
    assert!(set.bad[1].contains("'t3'") && set.bad[1].contains("2 of its 3"));
}

#[test]
fn correlations_are_an_editor_at_a_time_and_undefined_where_a_side_is_constant() {
    let (_dir, path) = written(
        r#"[{"prompt": "a", "input": "1.png", "gen": "1a.png", "score": 1, "model": "m"},
            {"prompt": "b", "input": "2.png", "gen": "2a.png", "score": 2, "model": "m"},
            {"prompt": "c", "input": "3.png", "gen": "3a.png", "score": 3, "model": "m"}]"#,
        "aurora.json",
    );
    let set = find("aurora-pointwise").unwrap().read(&path).unwrap();
    assert_eq!(set.cases.len(), 3);
    let up = [scores(&[0.1]), scores(&[0.2]), scores(&[0.9])];
    let mean = figures("aurora-pointwise", &set, &up)["mean"].unwrap();
    assert!((mean - 1.0).abs() < 1e-12, "{mean}");
    let flat = [scores(&[0.1]), scores(&[0.1]), scores(&[0.1])];
    assert_eq!(figures("aurora-pointwise", &set, &flat)["mean"], None);
}

#[test]
fn categories_of_the_out_of_distribution_set_have_figures_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let pair = r#"[{"prompt": "p", "path_src": "s.png", "path1": "a.png", "path2": "b.png"}]"#;
    for name in ["text.json", "style.json"] {
        std::fs::write(dir.path().join(name), pair).unwrap();
    }
    let set = find("ood").unwrap().read(dir.path()).unwrap();
    let said = [scores(&[1.0, 0.0]), scores(&[0.0, 1.0])];
    let all = figures("ood", &set, &said);
    assert_eq!(all["calibrated"], Some(0.5));
    assert_eq!(all["calibrated.style"], Some(1.0));
    assert_eq!(all["calibrated.text"], Some(0.0));
}

#[test]
fn gedit_is_the_mean_over_kinds_of_the_mean_over_items() {
    let item = |key: &str, kind: &str, both: bool| {
        format!(
            r#"{{"task_type": "{kind}", "key": "{key}", "instruction": "i", "instruction_language": "en",
                "input_image": "{key}.png", "Intersection_exist": {both}}}"#
        )
    };
    let items = [
        item("1", "color", true),
        item("2", "color", false),
        item("3", "text", true),
    ];
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("gedit.json"),
        format!("[{}]", items.join(",")),
    )
    .unwrap();
    std::fs::create_dir_all(dir.path().join("results/step1x/fullset")).unwrap();
    let set = find("gedit").unwrap().read(dir.path()).unwrap();
    let said: Vec<Said> = [[9.0, 4.0], [4.0, 4.0], [1.0, 4.0]]
        .iter()
        .map(|axes| {
            Said::Scores(vec![Some(Score {
                value: 0.0,
                sigma: None,
                axes: Some(*axes),
            })])
        })
        .collect();
    let all = figures("gedit", &set, &said);
    assert_eq!(all["step1x.en.sc"], Some(f64::midpoint(6.5, 1.0)));
    assert_eq!(all["step1x.en.pq"], Some(4.0));
    assert_eq!(all["step1x.en.o"], Some(f64::midpoint(5.0, 2.0)));
    assert_eq!(
        all["step1x.en.intersection.o"],
        Some(f64::midpoint(6.0, 2.0))
    );
}

#[test]
fn a_record_that_cannot_be_used_is_named_with_file_line_and_field() {
    let text = r#"[
{"prompt": "p", "path_src": "s.png", "paths_generated": ["a.png", "b.png"], "human_vote": {"ranking": "A>B"}, "id": "1"},
{"prompt": "p", "path_src": "s.png", "paths_generated": ["a.png", "b.png"], "human_vote": {"ranking": "A?B"}, "id": "2"},
{"prompt": "p", "path_src": "s.png", "paths_generated": ["a.png", "b.png"], "id": "3"},
{"prompt": "p", "path_src": "s.png", "paths_generated": ["a.png", "b.png"], "human_vote": {"ranking": "A>B"}, "id": "1"},
{"prompt": "p", "path_src": "s.png", "paths_generated": ["a.png", "b.png"], "human_vote": {"ranking": "A>B"}, "id": "5",
 "pred_x": [0.5, "high"]},
{"prompt": "p", "path_src": "s.png", "paths_generated": ["a.png", "../../b.png"], "human_vote": {"ranking": "A>B"}, "id": "6"}
]"#;
    let (_dir, path) = written(text, "EditReward_Bench_2pair.json");
    let set = find("editreward-bench").unwrap().read(&path).unwrap();
    assert_eq!(set.cases.len(), 1);
    let expected = [
        (3, "human_vote.ranking"),
        (4, "human_vote"),
        (5, "id"),
        (6, "pred_x"),
        (8, "paths_generated"),
    ];
    assert_eq!(set.bad.len(), expected.len(), "{:#?}", set.bad);
    for (problem, (line, field)) in set.bad.iter().zip(expected) {
        let place = format!("EditReward_Bench_2pair.json:{line}");
        assert!(problem.contains(&place), "{problem}");
        assert!(problem.contains(&format!("'{field}'")), "{problem}");
    }
}

#[test]
fn a_folder_without_the_files_is_told_which_they_are() {
    let dir = tempfile::tempdir().unwrap();
    for protocol in ALL {
        if protocol.about().key == "workspace" {
            continue;
        }
        let error = protocol.read(dir.path()).unwrap_err().to_string();
        assert!(
            error.contains(protocol.about().key) && error.contains("reads"),
            "{error}"
        );
    }
}

#[test]
fn a_benchmark_is_found_by_its_name_with_or_without_its_publisher() {
    assert_eq!(find("gedit").unwrap().about().key, "gedit");
    let found = find("tiger-lab/editreward-bench").unwrap();
    assert_eq!(found.about().key, "editreward-bench");
    let error = find("editscore/editreward-bench").err().unwrap();
    assert!(error.to_string().contains("genai-edit"), "{error}");
}

/// A monotone map of scores changes no figure that ranks.
#[test]
fn what_ranks_does_not_depend_on_the_scale_of_the_scores() {
    let set = triples(&[[2, 0, 1], [1, 2, 0], [0, 1, 2], [2, 1, 0]]);
    let values = [
        [0.3, -0.2, 1.5],
        [0.0, 2.0, 0.1],
        [0.2, 0.4, 0.1],
        [-3.0, -2.0, -1.0],
    ];
    let said: Vec<Said> = values.iter().map(|v| scores(v)).collect();
    let mapped: Vec<Said> = values
        .iter()
        .map(|v| scores(&v.map(|x: f64| (3.0 * x).exp() - 7.0)))
        .collect();
    assert_eq!(
        figures("editreward-bench", &set, &said),
        figures("editreward-bench", &set, &mapped)
    );
}

#[test]
fn raters_tables_are_read_with_missing_cells_and_bad_ones_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let tables = [
        "uid\tmagic\ta\nx.jpg\t[1, 1]\t[0.5,0.5]\ny.jpg\t[0, 1]\t\n",
        "uid\tmagic\ta\nx.jpg\t[1, 0.5]\t[0.5,0.5]\ny.jpg\t[0, 1]\t[2, 0]\n",
    ];
    for (i, table) in tables.iter().enumerate() {
        let name = format!("Text-Guided_IE_rater{}.tsv", i + 1);
        std::fs::write(dir.path().join(name), table).unwrap();
    }
    let raters = raters::Raters::read(Path::new(dir.path()), "Text-Guided_IE").unwrap();
    assert_eq!(raters.editors, ["a", "magic"]);
    assert_eq!(raters.cells[1][0], [[1.0, 1.0], [1.0, 0.5]]);
    assert_eq!(raters.cells[0][1], Vec::<[f64; 2]>::new());
    assert_eq!(raters.bad.len(), 1, "{:?}", raters.bad);
    assert!(raters.bad[0].contains("'a'"), "{:?}", raters.bad);
}

#[test]
fn a_verdict_names_the_figure_that_it_counts_for_where_not_all_are_made_of_it() {
    let of = |set: &Dataset, said: &[Said]| -> Vec<Vec<String>> {
        let answered: Vec<Answered<'_>> = set
            .cases
            .iter()
            .zip(said)
            .map(|(case, said)| Answered { case, said })
            .collect();
        let prepared = find("editreward-bench").unwrap().prepare(&answered);
        let figures = prepared.verdicts.into_iter().map(|v| v.figures);
        figures.collect()
    };
    let pairs = of(&cases(&[FIRST()]), &[scores(&[2.0, 1.0])]);
    assert_eq!(pairs, [["k2", "overall"]]);
    let whole = of(&triples(&[[0, 1, 2]]), &[scores(&[3.0, 2.0, 1.0])]);
    assert_eq!(whole, [["k3", "overall"]]);
}

#[test]
fn a_verdict_on_an_answer_that_was_none_is_read_as_it_was_written() {
    let set = cases(&[FIRST()]);
    let said = unparsed();
    let answered = [Answered {
        case: &set.cases[0],
        said: &said,
    }];
    let prepared = find("genai-edit").unwrap().prepare(&answered);
    let written = serde_json::to_string(&prepared.verdicts[0]).unwrap();
    let read: crate::bench::protocol::Verdict = serde_json::from_str(&written).unwrap();
    assert!(read.weight.is_nan() && read.right == 0.0, "{written}");
}
