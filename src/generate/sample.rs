//! Which candidates of a group are kept: so many, drawn by a seed, spread over as many editors as there are (as the paper keeps 7
//! of 12 by 6 editors, appendix A.2).

use std::collections::BTreeMap;

use crate::remote::draw;

/// The candidates, given by editor and seed, in the order in which a sample takes them: editors in a drawn order, one candidate
/// of each in turn, and those of an editor in a drawn order too. The same for the same seed, group and candidates, in whatever
/// order they come; positions in `candidates`.
pub(super) fn order(seed: u64, group: &str, candidates: &[(&str, u64)]) -> Vec<usize> {
    let chance = seed.to_string();
    let mut editors: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (position, (editor, _)) in candidates.iter().enumerate() {
        editors.entry(editor).or_default().push(position);
    }
    let mut editors: Vec<(&str, Vec<usize>)> = editors.into_iter().collect();
    editors.sort_by_key(|(editor, _)| draw(["editor", &chance, group, editor]));
    for (editor, of) in &mut editors {
        of.sort_by_key(|position| {
            let seed = candidates[*position].1;
            (
                draw(["seed", &chance, group, editor, &seed.to_string()]),
                seed,
            )
        });
    }
    let rounds = editors.iter().map(|(_, of)| of.len()).max().unwrap_or(0);
    let round = |round: usize| {
        editors
            .iter()
            .filter_map(move |(_, of)| of.get(round).copied())
    };
    (0..rounds).flat_map(round).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIX: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

    /// Twelve candidates: two seeds of each of six editors.
    fn twelve() -> Vec<(&'static str, u64)> {
        SIX.iter().flat_map(|e| [(*e, 1), (*e, 2)]).collect()
    }

    fn taken(seed: u64, group: &str, most: usize) -> Vec<(&'static str, u64)> {
        let all = twelve();
        let order = order(seed, group, &all);
        order.into_iter().take(most).map(|i| all[i]).collect()
    }

    #[test]
    fn seven_of_twelve_are_of_all_six_editors() {
        for group in 0..50 {
            let taken = taken(1, &group.to_string(), 7);
            for editor in SIX {
                let of = taken.iter().filter(|(e, _)| *e == editor).count();
                assert!((1..=2).contains(&of), "{taken:?}");
            }
        }
    }

    #[test]
    fn three_are_of_three_editors_and_every_editor_and_seed_has_its_chance() {
        let mut often = BTreeMap::new();
        for group in 0..600 {
            let three = taken(1, &group.to_string(), 3);
            let mut editors: Vec<&str> = three.iter().map(|(e, _)| *e).collect();
            editors.dedup();
            assert_eq!(editors.len(), 3);
            for candidate in three {
                *often.entry(candidate).or_insert(0) += 1;
            }
        }
        // 600 × 3 / 12 = 150 each; five standard deviations are about 53.
        assert_eq!(often.len(), 12);
        assert!(often.values().all(|n| (97..=203).contains(n)), "{often:?}");
    }

    #[test]
    fn the_same_is_drawn_from_the_same_in_any_order_and_another_from_another_seed() {
        let forward = twelve();
        let backward: Vec<(&str, u64)> = forward.iter().rev().copied().collect();
        let draw = |seed, of: &[(&'static str, u64)]| -> Vec<(&str, u64)> {
            order(seed, "g", of).into_iter().map(|i| of[i]).collect()
        };
        assert_eq!(draw(1, &forward), draw(1, &backward));
        assert_ne!(draw(1, &forward), draw(2, &forward));
        assert_ne!(taken(1, "g", 12), taken(1, "h", 12));
        let mut all = draw(1, &forward);
        all.sort_unstable();
        assert_eq!(all, forward);
    }

    #[test]
    fn editors_of_different_numbers_take_turns_until_they_have_none() {
        let uneven = [("a", 1), ("a", 2), ("a", 3), ("b", 1)];
        let order = order(3, "g", &uneven);
        let editors: Vec<&str> = order.iter().map(|i| uneven[*i].0).collect();
        assert!(matches!(
            editors[..],
            ["a", "b", "a", "a"] | ["b", "a", "a", "a"]
        ));
        assert!(super::order(3, "g", &[]).is_empty());
    }
}
