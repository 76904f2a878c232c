//! Sequences as a tree: what several have in common from the start is read once.
//!
//! Attention is causal, so the keys and values of a common prefix are the same whatever follows, provided that its rows have
//! the same tokens at the same positions. The tree is found by comparing rows, so it knows nothing of prompts: a source read
//! before several candidates, a candidate before two rubrics, or rubrics before everything are all prefixes to it.

use std::ops::Range;

use super::rope::Position;
use super::text::Span;

/// Shorter common stretches are not worth a branch of their own.
const LEAST: usize = 4;

/// What a row is, for comparing: a token of text by its id, or one visual token of one picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// A token's id.
    Text(u32),
    /// A picture's number and the token's place in it.
    Visual(u32, u32),
}

/// A row to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) content: Content,
    pub(super) position: Position,
}

/// A stretch of rows that some sequences share.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    parent: Option<usize>,
    /// Where its rows are among all.
    rows: Range<usize>,
}

/// All rows in the order in which they are read, each once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// The rows.
    pub(super) rows: Vec<Row>,
    /// For each sequence, the row of each of its tokens.
    pub(super) places: Vec<Vec<usize>>,
}

impl Tree {
    /// From sequences; with `share`, common prefixes become one.
    pub(super) fn new(sequences: &[Vec<Row>], share: bool) -> Self {
        let mut tree = Self {
            places: vec![Vec::new(); sequences.len()],
            ..Self::default()
        };
        let all: Vec<usize> = (0..sequences.len()).collect();
        if share {
            tree.grow(sequences, &all, None);
        } else {
            for one in all {
                tree.grow(sequences, &[one], None);
            }
        }
        tree
    }

    /// Adds what is left of the sequences `some`, which share everything up to `parent`'s end.
    fn grow(&mut self, sequences: &[Vec<Row>], some: &[usize], parent: Option<usize>) {
        let done = some.first().map_or(0, |first| self.places[*first].len());
        let rest = |i: usize| &sequences[i][done..];
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for &i in some.iter().filter(|i| !rest(**i).is_empty()) {
            let like = groups
                .iter_mut()
                .find(|group| common(rest(group[0]), rest(i)) >= LEAST);
            match like {
                Some(group) => group.push(i),
                None => groups.push(vec![i]),
            }
        }
        for group in groups {
            let first = rest(group[0]);
            let shared = group[1..]
                .iter()
                .map(|&i| common(first, rest(i)))
                .min()
                .unwrap_or(first.len());
            let start = self.rows.len();
            self.rows.extend_from_slice(&first[..shared]);
            let node = self.nodes.len();
            self.nodes.push(Node {
                parent,
                rows: start..start + shared,
            });
            for &i in &group {
                self.places[i].extend(start..start + shared);
            }
            self.grow(sequences, &group, Some(node));
        }
    }

    /// Which rows attend to which.
    pub(super) fn spans(&self) -> Vec<Span> {
        self.nodes
            .iter()
            .map(|node| {
                let mut context = Vec::new();
                let mut above = node.parent;
                while let Some(parent) = above {
                    context.push(self.nodes[parent].rows.clone());
                    above = self.nodes[parent].parent;
                }
                context.reverse();
                Span {
                    rows: node.rows.clone(),
                    context,
                }
            })
            .collect()
    }
}

/// How many rows `a` and `b` have in common from the start.
fn common(a: &[Row], b: &[Row]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(ids: &[u32]) -> Vec<Row> {
        let row = |(i, id): (usize, &u32)| Row {
            content: Content::Text(*id),
            position: [i as u32; 3],
        };
        ids.iter().enumerate().map(row).collect()
    }

    #[test]
    fn common_prefixes_are_rows_once_and_every_sequence_finds_its_own() {
        let sequences = [
            rows(&[1, 2, 3, 4, 5, 6, 7, 8, 9]),
            rows(&[1, 2, 3, 4, 5, 6, 7, 8, 10, 11]),
            rows(&[1, 2, 3, 4, 20, 21]),
            rows(&[30]),
        ];
        let tree = Tree::new(&sequences, true);
        assert_eq!(tree.rows.len(), 4 + 4 + 1 + 2 + 2 + 1);
        for (sequence, places) in sequences.iter().zip(&tree.places) {
            let read: Vec<Row> = places.iter().map(|&i| tree.rows[i]).collect();
            assert_eq!(&read, sequence);
        }
        let spans = tree.spans();
        assert_eq!(spans[0].rows, 0..4);
        assert_eq!(spans[1].context, vec![0..4; 1]);
        assert_eq!(spans[2].context, [0..4, 4..8]);
        assert!(spans.last().unwrap().context.is_empty());
    }

    #[test]
    fn the_same_token_at_another_position_or_of_another_picture_is_another_row() {
        let mut moved = rows(&[1, 2, 3, 4, 5]);
        for row in &mut moved {
            row.position[1] += 1;
        }
        let tree = Tree::new(&[rows(&[1, 2, 3, 4, 5]), moved], true);
        assert_eq!(tree.rows.len(), 10);
        let picture = |number| {
            (0..5)
                .map(|i| Row {
                    content: Content::Visual(number, i),
                    position: [i; 3],
                })
                .collect()
        };
        assert_eq!(Tree::new(&[picture(1), picture(2)], true).rows.len(), 10);
        assert_eq!(Tree::new(&[picture(1), picture(1)], true).rows.len(), 5);
    }

    /// 14 tokens before the images, 258 an image, rubrics of 400 and 377 tokens of which the first 21 are the same.
    #[test]
    fn seven_candidates_under_the_published_rubrics_are_1053_rows_each() {
        let picture = |number| (0..258).map(move |i| Content::Visual(number, i));
        let text = |from: u32, count: u32| (from..from + count).map(Content::Text);
        let sequences: Vec<Vec<Row>> = (1..=7)
            .flat_map(|candidate| [(1_000, 379), (2_000, 356)].map(|rest| (candidate, rest)))
            .map(|(candidate, (from, count))| {
                let contents = text(0, 14)
                    .chain(picture(0))
                    .chain(picture(candidate))
                    .chain(text(500, 21))
                    .chain(text(from, count));
                let row = |(i, content)| Row {
                    content,
                    position: [i; 3],
                };
                (0..).zip(contents).map(row).collect()
            })
            .collect();
        let plain: usize = sequences.iter().map(Vec::len).sum();
        assert_eq!(plain, 7 * (930 + 907));
        assert_eq!(Tree::new(&sequences, true).rows.len(), 7370);
        assert_eq!(7370_usize.div_ceil(7), 1053);
    }

    #[test]
    fn without_sharing_every_sequence_is_read_whole() {
        let tree = Tree::new(&[rows(&[1, 2, 3, 4, 5]), rows(&[1, 2, 3, 4, 5])], false);
        assert_eq!(tree.rows.len(), 10);
        assert!(tree.spans().iter().all(|span| span.context.is_empty()));
    }
}
