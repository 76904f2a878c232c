//! What a run got wrong, the surest of it first: the list, its mark, and the case that is looked at.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::bench::Said;
use crate::bench::answer::Answer;
use crate::bench::protocol::Verdict;
use crate::bench::run::Shown;
use crate::domain::ImageRef;

/// So many are kept: nobody reads on so far, and a workspace of 200,000 groups has more.
const KEPT: usize = 5000;

/// A case as people and the scorer saw it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    /// Instruction, editors, images.
    pub(crate) shown: Shown,
    /// What the scorer said; `None` where it kept no answer.
    pub(crate) said: Option<Said>,
}

/// A judgement that was wrong, or less than right.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mistake {
    /// The judgement.
    pub(crate) verdict: Verdict,
    /// Its case; `None` where the run kept none.
    pub(crate) seen: Option<Arc<Seen>>,
}

/// The mistakes behind a figure.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Mistakes {
    /// Judgements that the figure is made of.
    pub(crate) all: usize,
    /// How many of them are not right.
    pub(crate) wrong: usize,
    /// Those, the surest first, as many as are kept.
    pub(crate) kept: Vec<Mistake>,
}

impl Mistakes {
    /// Of the judgements that count for a figure.
    pub(crate) fn of(
        verdicts: Vec<Verdict>,
        cases: Vec<Shown>,
        answers: Vec<Answer>,
        figure: &str,
    ) -> Self {
        let counts = |v: &Verdict| v.figures.is_empty() || v.figures.iter().any(|f| f == figure);
        let of: Vec<Verdict> = verdicts.into_iter().filter(counts).collect();
        let all = of.len();
        let mut wrong: Vec<Verdict> = of.into_iter().filter(|v| v.right < 1.0).collect();
        // What was no answer at all has no weight, and comes last.
        let weight = |v: &Verdict| {
            if v.weight.is_nan() {
                f64::NEG_INFINITY
            } else {
                v.weight
            }
        };
        wrong.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
        let count = wrong.len();
        wrong.truncate(KEPT);
        let mut said: HashMap<String, Said> = answers
            .into_iter()
            .map(|answer| (answer.case, answer.said))
            .collect();
        let wanted: std::collections::HashSet<&str> =
            wrong.iter().map(|v| v.case.as_str()).collect();
        let seen: HashMap<String, Arc<Seen>> = cases
            .into_iter()
            .filter(|shown| wanted.contains(shown.case.as_str()))
            .map(|shown| {
                let said = said.remove(&shown.case);
                (shown.case.clone(), Arc::new(Seen { shown, said }))
            })
            .collect();
        let kept = wrong
            .into_iter()
            .map(|verdict| Mistake {
                seen: seen.get(&verdict.case).cloned(),
                verdict,
            })
            .collect();
        Self {
            all,
            wrong: count,
            kept,
        }
    }

    /// Whether judgements are of single edits: then they are far off rather than sure.
    pub(crate) fn are_ratings(&self) -> bool {
        self.kept
            .first()
            .is_some_and(|m| m.verdict.edits.len() == 1)
    }
}

/// The images of a case that were looked for, and where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// The case.
    pub(crate) case: String,
    /// Source first, then the edits; `None` for those that are not there.
    pub(crate) images: Vec<Option<PathBuf>>,
}

/// The list, open over the leaderboard.
#[derive(Debug)]
pub(crate) struct Listing {
    /// The run.
    pub(crate) run: String,
    /// The figure.
    pub(crate) figure: String,
    /// What it is a list of: scorer, benchmark, figure.
    pub(crate) title: String,
    /// What was read, or why it could not be; `None` while it is being read.
    pub(crate) read: Option<Result<Mistakes, String>>,
    at: usize,
    top: usize,
    /// The marked case is looked at.
    case: bool,
    /// How far its words are scrolled.
    pub(crate) scroll: u16,
    sought: Option<String>,
    found: Option<Found>,
}

impl Listing {
    /// A list that has yet to be read.
    pub(crate) const fn new(run: String, figure: String, title: String) -> Self {
        Self {
            run,
            figure,
            title,
            read: None,
            at: 0,
            top: 0,
            case: false,
            scroll: 0,
            sought: None,
            found: None,
        }
    }

    /// The mistakes, once they are here.
    pub(crate) fn mistakes(&self) -> &[Mistake] {
        match &self.read {
            Some(Ok(mistakes)) => &mistakes.kept,
            _ => &[],
        }
    }

    /// The marked one's place.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// The marked one.
    pub(crate) fn marked(&self) -> Option<&Mistake> {
        self.mistakes().get(self.at)
    }

    /// Marks one, or the last.
    pub(crate) fn mark(&mut self, at: usize) {
        let at = at.min(self.mistakes().len().saturating_sub(1));
        if at != self.at {
            self.scroll = 0;
        }
        self.at = at;
    }

    /// Moves the mark, stopping at both ends.
    pub(crate) fn step(&mut self, by: isize) {
        self.mark(self.at.saturating_add_signed(by));
    }

    /// The first on screen.
    pub(crate) const fn top(&self) -> usize {
        self.top
    }

    /// Scrolls so that the mark is within `height` rows.
    pub(crate) fn follow(&mut self, height: usize) {
        let height = height.max(1);
        self.top = self
            .top
            .min(self.at)
            .max((self.at + 1).saturating_sub(height))
            .min(self.mistakes().len().saturating_sub(height));
    }

    /// Looks at the marked case.
    pub(crate) fn open_case(&mut self) {
        self.case = self.marked().is_some();
        self.scroll = 0;
    }

    /// Back to the list; false if that is where one is.
    pub(crate) const fn close_case(&mut self) -> bool {
        std::mem::replace(&mut self.case, false)
    }

    /// The mistake that is looked at.
    pub(crate) fn case(&self) -> Option<&Mistake> {
        self.marked().filter(|_| self.case)
    }

    /// The images of the case that is looked at, source first, if they must still be looked for; remembers that they are.
    pub(crate) fn unsought(&mut self) -> Option<(String, Vec<Option<ImageRef>>)> {
        let seen = self.case()?.seen.clone()?;
        let case = &seen.shown.case;
        if self.sought.as_ref() == Some(case) {
            return None;
        }
        self.sought = Some(case.clone());
        let edits = seen.shown.edits.iter().map(|(_, image)| image.clone());
        let images: Vec<Option<ImageRef>> = std::iter::once(seen.shown.source.clone())
            .chain(edits)
            .collect();
        if images.iter().all(Option::is_none) {
            self.found = Some(Found {
                case: case.clone(),
                images: vec![None; images.len()],
            });
            return None;
        }
        Some((case.clone(), images))
    }

    /// Images were looked for.
    pub(crate) fn put(&mut self, found: Found) {
        if self.sought.as_ref() == Some(&found.case) {
            self.found = Some(found);
        }
    }

    /// Where the images of the case that is looked at are, source first; `None` while they are looked for.
    pub(crate) fn images(&self) -> Option<&[Option<PathBuf>]> {
        let case = &self.case()?.verdict.case;
        let found = self.found.as_ref().filter(|found| found.case == *case)?;
        Some(&found.images)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample_of_benchmarks as sample;

    #[test]
    fn the_surest_mistakes_come_first_and_what_is_right_is_left_out() {
        let (verdicts, cases, answers) = sample::judged();
        let all = verdicts.len();
        let mistakes = Mistakes::of(verdicts, cases, answers, "calibrated");
        assert_eq!(mistakes.all, all);
        assert!(mistakes.wrong < all && mistakes.wrong == mistakes.kept.len());
        let weights: Vec<f64> = mistakes.kept.iter().map(|m| m.verdict.weight).collect();
        let finite = weights.iter().take_while(|w| w.is_finite()).count();
        assert!(weights[..finite].is_sorted_by(|a, b| a >= b), "{weights:?}");
        assert!(weights[finite..].iter().all(|w| w.is_nan()), "{weights:?}");
        let seen = mistakes.kept[0].seen.as_ref().unwrap();
        assert_eq!(seen.shown.case, mistakes.kept[0].verdict.case);
        assert!(matches!(seen.said, Some(Said::Scores(_))));
    }

    #[test]
    fn judgements_of_another_figure_are_none_of_this_one() {
        let (mut verdicts, cases, answers) = sample::judged();
        let count = verdicts.len();
        for (i, verdict) in verdicts.iter_mut().enumerate() {
            verdict.figures = vec![
                "overall".into(),
                if i % 2 == 0 { "k2" } else { "k3" }.into(),
            ];
        }
        let of = |figure| Mistakes::of(verdicts.clone(), cases.clone(), answers.clone(), figure);
        let even = |m: &Mistake| m.verdict.figures.contains(&"k2".into());
        assert_eq!(of("k2").all, count.div_ceil(2));
        assert!(of("k2").kept.iter().all(even));
        assert_eq!(of("overall").all, count);
        assert_eq!(of("k4").all, 0);
    }

    #[test]
    fn images_are_looked_for_once_a_case() {
        let (verdicts, mut cases, answers) = sample::judged();
        for shown in &mut cases {
            shown.source = Some(ImageRef("source.png".into()));
        }
        let mut list = Listing::new("run".into(), "calibrated".into(), String::new());
        assert!(list.unsought().is_none() && list.marked().is_none());
        list.read = Some(Ok(Mistakes::of(verdicts, cases, answers, "calibrated")));
        assert!(list.unsought().is_none(), "no case is looked at");
        list.open_case();
        let (case, images) = list.unsought().unwrap();
        assert!(list.unsought().is_none() && list.images().is_none());
        let images = vec![None; images.len()];
        list.put(Found {
            case: "another".into(),
            images: images.clone(),
        });
        assert!(list.images().is_none());
        list.put(Found { case, images });
        assert!(list.images().is_some());
        list.step(1);
        assert!(list.images().is_none() && list.unsought().is_some());
        assert!(list.close_case() && !list.close_case());
    }
}
