//! Verdicts on two edits: the spellings there are, what else their signs are written as, and where they stand.

use super::super::super::case::Vote;
use super::{nothing, until};

/// Spellings of verdicts, in capitals and without blanks. A bare A=B does not say which tie.
const VERDICTS: &[(&str, Vote)] = &[
    ("A>B", Vote::First),
    ("A>>B", Vote::First),
    ("B<A", Vote::First),
    ("B<<A", Vote::First),
    ("B>A", Vote::Second),
    ("B>>A", Vote::Second),
    ("A<B", Vote::Second),
    ("A<<B", Vote::Second),
    ("A=B=GOOD", Vote::BothGood),
    ("B=A=GOOD", Vote::BothGood),
    ("A=B=BAD", Vote::BothBad),
    ("B=A=BAD", Vote::BothBad),
    ("A=B", Vote::Tie),
    ("B=A", Vote::Tie),
    ("A==B", Vote::Tie),
];

/// What the same sign is also written as, and what stands beside signs without meaning anything; applied to capitals.
const WRITTEN: &[(&str, &str)] = &[
    ("&GT;", ">"),
    ("&LT;", "<"),
    ("\\GT", ">"),
    ("\\LT", "<"),
    ("≻", ">"),
    ("≺", "<"),
    ("＞", ">"),
    ("＜", "<"),
    ("＝", "="),
    ("\\TEXT", ""),
    ("MODEL", ""),
    ("EDIT", ""),
    ("IMAGE", ""),
    ("IS ", ""),
    (":", ""),
    ("\\", ""),
    ("$", ""),
    ("*", ""),
    ("`", ""),
    ("\"", ""),
    ("'", ""),
    ("{", ""),
    ("}", ""),
    ("[", ""),
    ("]", ""),
];

/// Where verdicts stand, the surest first: only the first frame that holds any is believed. Compared without regard to case;
/// an empty opening is the start of the whole answer, an empty closing its end.
const FRAMES: &[(&str, &str)] = &[
    ("[[", "]]"),
    ("\\boxed{", "\n"),
    ("verdict", "\n"),
    ("[", "]"),
    ("**", "**"),
    ("`", "`"),
    ("", ""),
];

/// No spelling is longer, in bytes, with all that may stand beside it.
const LONGEST: usize = 80;

/// The verdict that an answer gives; more than one is none.
pub(super) fn read(text: &str) -> Result<Vote, String> {
    for frame in FRAMES {
        let mut said: Vec<(&str, Vote)> = Vec::new();
        for content in framed(text, *frame) {
            if let Some(vote) = spelled(content)
                && !said.iter().any(|(_, v)| *v == vote)
            {
                said.push((content.trim(), vote));
            }
        }
        match said.as_slice() {
            [] => {}
            [(_, vote)] => return Ok(*vote),
            [(one, _), (other, _), ..] => {
                return Err(format!(
                    "it gives more than one verdict: '{one}' and '{other}'"
                ));
            }
        }
    }
    Err(nothing(text, "verdict"))
}

/// What stands in a frame, at each place where it opens.
fn framed<'a>(text: &'a str, (open, close): (&str, &str)) -> Vec<&'a str> {
    if open.is_empty() {
        return vec![text];
    }
    // Lower case in ASCII alone leaves every byte where it is.
    text.to_ascii_lowercase()
        .match_indices(open)
        .filter_map(|(at, _)| until(&text[at + open.len()..], close))
        .collect()
}

/// The vote that is spelled like that.
fn spelled(content: &str) -> Option<Vote> {
    if content.len() > LONGEST {
        return None;
    }
    let mut plain = content.to_uppercase();
    for (written, sign) in WRITTEN {
        plain = plain.replace(written, sign);
    }
    plain.retain(|c| !c.is_whitespace());
    let plain = plain.trim_end_matches('.');
    VERDICTS
        .iter()
        .find_map(|(spelling, vote)| (*spelling == plain).then_some(*vote))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::recorded;
    use super::*;

    /// The name of a vote in the recorded files.
    fn name(vote: Vote) -> &'static str {
        match vote {
            Vote::First => "[[A>B]]",
            Vote::Second => "[[B>A]]",
            Vote::BothGood => "[[A=B=Good]]",
            Vote::BothBad => "[[A=B=Bad]]",
            Vote::Tie => "[[A=B]]",
        }
    }

    /// Recorded verdicts that are read otherwise here: file, number of the record, and why that is right.
    const OTHERWISE: &[(&str, u64, &str)] = &[];

    #[test]
    fn recorded_answers_are_read_as_their_publishers_read_them() {
        for (file, correct) in [
            ("genai_bench/image_edition_gpt4o_pairwise.json", 492),
            ("genai_bench/image_edition_random_pairwise.json", 238),
        ] {
            let Some(text) = recorded::file(file) else {
                continue;
            };
            let records: Vec<Value> = serde_json::from_str(&text).unwrap();
            let (mut right, mut different) = (0, Vec::new());
            for record in &records {
                let vote = read(record["response"].as_str().unwrap());
                let number = record["idx"].as_u64().unwrap();
                let said = vote.clone().map_or("nothing", name);
                let explained = OTHERWISE.iter().any(|(f, n, _)| (*f, *n) == (file, number));
                if said != record["model_vote"] && !explained {
                    different.push((number, vote));
                }
                let human = record["human_vote"].as_str().unwrap();
                right += usize::from(matches!(
                    (said, human),
                    ("[[A>B]]", "leftvote")
                        | ("[[B>A]]", "rightvote")
                        | ("[[A=B=Good]]", "tievote")
                        | ("[[A=B=Bad]]", "bothbad_vote")
                ));
            }
            let same = records.len() - different.len();
            recorded::say(&format!(
                "{file}: {same} of {} as recorded, {right} agree with people",
                records.len()
            ));
            assert!(
                different.is_empty() && records.len() == 919,
                "{file}: {same} of {} are read as recorded; not so: {different:?}",
                records.len()
            );
            assert_eq!(
                right, correct,
                "{file}: as many agree with people as in print"
            );
        }
    }

    #[test]
    fn verdicts_are_read_in_every_frame_and_spelling() {
        for (text, vote) in [
            ("Because.\n[[A>B]]", Vote::First),
            ("[[ b > a ]]", Vote::Second),
            ("[[A&gt;B]]", Vote::First),
            ("[[Model A > Model B]]", Vote::First),
            ("[[A<B]] so again: [[B>A]]", Vote::Second),
            ("**Final Verdict**: [[A=B=Good]].", Vote::BothGood),
            ("verdict: A=B=Bad", Vote::BothBad),
            ("**Verdict:** B > A\n", Vote::Second),
            ("The final verdict is A>B.", Vote::First),
            ("so it is \\boxed{A \\gt B}", Vote::First),
            ("\\boxed{[[B>A]]}", Vote::Second),
            ("I choose [A=B=Bad]", Vote::BothBad),
            ("I choose **A>B**.", Vote::First),
            ("I choose `B>A`", Vote::Second),
            ("A=B", Vote::Tie),
            ("[[A=B]]", Vote::Tie),
            ("  A=B=good \n", Vote::BothGood),
        ] {
            assert_eq!(read(text), Ok(vote), "{text}");
        }
    }

    #[test]
    fn two_verdicts_or_half_of_one_are_none() {
        let reason = read("[[A>B]] or rather [[A=B=Bad]]").unwrap_err();
        assert_eq!(
            reason,
            "it gives more than one verdict: 'A>B' and 'A=B=Bad'"
        );
        for text in [
            "",
            "A is better than B in all I can see",
            "[[A]]",
            "so: [[A=B",
            "[[A=B=Good or Bad]]",
            "A>B holds because of the light, yet the shadows of B are finer than those of A, so it is hard to say",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        // The surest frame is believed, whatever else is weighed on the way there.
        let text = "If A kept the sky, [A>B] would hold. It did not: [[B>A]]";
        assert_eq!(read(text), Ok(Vote::Second));
    }
}
