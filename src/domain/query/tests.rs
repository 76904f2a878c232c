//! Queries as people type them, and what is wrong in those that are not understood.

use super::*;
use crate::domain::{Axis, Measure};

/// A vivid edit that the model likes and people do not.
struct Vivid;

impl Facts for Vivid {
    fn number(&self, field: Number) -> Option<f64> {
        match field {
            Number::Measured(Measure::SatDelta) => Some(0.2),
            Number::Measured(Measure::EditShare) => Some(0.25),
            Number::Mean(Some(Axis::InstructionFollowing)) => Some(0.6),
            Number::Human(Some(Axis::InstructionFollowing)) => Some(2.0),
            _ => None,
        }
    }

    fn texts(&self, field: Text, each: &mut dyn FnMut(&str) -> bool) {
        match field {
            Text::Editor => {
                each("Flux-Kontext");
            }
            Text::Instruction => {
                each("Make the sandwich a hot dog");
            }
            Text::Tag => {
                let _ = each("too vivid") || each("odd");
            }
            _ => {}
        }
    }
}

fn holds(text: &str) -> bool {
    Query::parse(text).unwrap().holds(&Vivid)
}

#[test]
fn the_query_of_the_readme_holds_of_a_vivid_edit_that_people_do_not_like() {
    assert!(holds(
        "sat_delta > 0.15 and if.mean > 0.5 and human.if <= 2"
    ));
    assert!(!holds(
        "sat_delta > 0.15 and if.mean > 0.7 and human.if <= 2"
    ));
    assert!(holds(""));
}

#[test]
fn numbers_compare_in_all_six_ways_and_in_percent() {
    for yes in [
        "sat_delta>0.1",
        "sat_delta>=0.2",
        "sat_delta<1",
        "sat_delta <= .2",
        "sat_delta=0.2",
        "sat_delta == 0.2",
        "sat_delta!=0.3",
        "edit_share >= 25%",
        "sat_delta ≥ 2e-1",
        "SAT_DELTA > -1",
    ] {
        assert!(holds(yes), "{yes}");
    }
    for no in [
        "sat_delta>0.2",
        "sat_delta<0.2",
        "sat_delta!=0.2",
        "edit_share > 25%",
    ] {
        assert!(!holds(no), "{no}");
    }
}

#[test]
fn texts_compare_whole_or_in_part_whatever_the_case() {
    for yes in [
        "editor = flux-kontext",
        "editor ~ FLUX",
        "instruction ~ \"hot dog\"",
        "editor != omnigen",
        "instruction !~ cat",
        "tag = odd",
        "tag ~ vivid",
        "instruction ~ 'a hot'",
    ] {
        assert!(holds(yes), "{yes}");
    }
    for no in [
        "editor = flux",
        "instruction ~ cat",
        "tag = vivid",
        "tag != odd",
    ] {
        assert!(!holds(no), "{no}");
    }
}

#[test]
fn what_has_no_value_compares_with_nothing_and_can_be_asked_for() {
    assert!(!holds("vq.mean > 0") && !holds("vq.mean <= 0") && !holds("vq.mean != 0"));
    assert!(holds("vq.mean = none") && holds("if.mean != none") && holds("not vq.mean > 0"));
    assert!(holds("category = none") && holds("editor != none") && !holds("tag = none"));
}

#[test]
fn and_binds_closer_than_or_and_brackets_closest() {
    assert!(holds("sat_delta > 0 or vq.mean > 0 and vq.mean > 0"));
    assert!(!holds("(sat_delta > 0 or vq.mean > 0) and vq.mean > 0"));
    assert!(holds(
        "not (editor = omnigen or editor = gpt) and sat_delta > 0"
    ));
    assert!(holds("NOT editor = omnigen AND sat_delta > 0"));
}

#[test]
fn an_order_may_follow_or_stand_alone() {
    let order = |text: &str| Query::parse(text).unwrap().order();
    assert_eq!(
        order("editor ~ flux sort by sat_delta desc"),
        Some((Number::Measured(Measure::SatDelta), true))
    );
    assert_eq!(
        order("sort by vq.mean"),
        Some((Number::Mean(Some(Axis::VisualQuality)), false))
    );
    assert_eq!(
        order("sort by human asc"),
        Some((Number::Human(None), false))
    );
    assert_eq!(order("sat_delta > 0"), None);
}

#[test]
fn the_fields_that_a_query_looks_at_are_told() {
    let query = Query::parse("not (editor ~ a or vq.sigma > 1) sort by sat_delta").unwrap();
    let names: Vec<_> = query.fields().into_iter().map(Field::name).collect();
    assert_eq!(names, ["vq.sigma", "sat_delta", "editor"]);
}

#[test]
fn a_mistake_is_told_with_its_place_and_what_could_stand_there() {
    for (text, at, words) in [
        ("sat_delt > 1", 0, "did you mean 'sat_delta'"),
        ("sat_delta", 9, "expected a comparison"),
        ("sat_delta >", 11, "expected a number"),
        ("sat_delta > much", 12, "'much' is no number"),
        ("sat_delta > nan", 12, "is no number"),
        ("sat_delta ~ 1", 10, "is a number"),
        ("editor > a", 7, "is a text"),
        ("editor = \"flux", 9, "never closed"),
        ("(editor = flux", 14, "expected ')'"),
        ("editor = flux omnigen", 14, "expected 'and'"),
        ("and", 0, "no field 'and'"),
        ("sat_delta > none", 12, "only be compared by = and !="),
        ("sort by editor", 8, "is a text"),
        ("sat_delta ! 3", 10, "did you mean '!='"),
        ("> 3", 0, "expected a field"),
    ] {
        let error = Query::parse(text).unwrap_err();
        assert!(
            error.at == at && error.what.contains(words),
            "{text}: {error:?}"
        );
    }
    let deep = "(".repeat(10_000);
    assert!(Query::parse(&deep).unwrap_err().what.contains("nested"));
}

#[test]
fn words_to_look_for_are_not_taken_for_a_query() {
    for words in [
        "make it red",
        "sort of red",
        "\"quoted\" words",
        "a > b?",
        "if you",
        "it's",
        "editor",
        "100% wool",
    ] {
        let meant = Query::is_meant(words);
        assert_eq!(meant, words == "a > b?", "{words}");
    }
    for query in [
        "sat_delta>0",
        "if.mean > 0.5 and",
        "sort by human",
        "editor ~ x",
        "not tag = odd",
    ] {
        assert!(Query::is_meant(query), "{query}");
    }
}

#[test]
fn every_field_is_found_by_its_name_and_no_name_is_taken_twice() {
    let names: Vec<_> = Field::all().map(|(name, _)| name).collect();
    for name in &names {
        assert_eq!(Field::of_name(name).map(Field::name), Some(*name));
        assert_eq!(names.iter().filter(|n| *n == name).count(), 1, "{name}");
    }
}
