//! A group's scores in one cell each, for a row of the list.

use ratatui::style::Style;
use ratatui::text::Span;

use crate::tui::theme::{Role, Theme};

/// From the lowest to the highest.
const BLOCKS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// One cell per candidate, in candidate order: a block whose height is the score's place within `scale` (lowest, highest),
/// or within the group itself where `scale` is `None`; `·` where there is no score. The best stands out. At most `columns`
/// cells; where there are more candidates, the last cell is `…`.
pub fn score_cells(
    scores: &[Option<f32>],
    scale: Option<(f32, f32)>,
    columns: u16,
    theme: &Theme,
) -> Vec<Span<'static>> {
    let columns = usize::from(columns);
    let finite = |score: &Option<f32>| score.filter(|s| s.is_finite());
    let known = || scores.iter().filter_map(finite);
    let best = known().fold(f32::NEG_INFINITY, f32::max);
    let worst = known().fold(f32::INFINITY, f32::min);
    let (low, high) = scale.unwrap_or((worst, best));
    let shown = if scores.len() > columns {
        columns.saturating_sub(1)
    } else {
        scores.len()
    };
    let several = known().nth(1).is_some() && best > worst;
    let mut cells: Vec<Span<'static>> = scores[..shown]
        .iter()
        .map(|score| match finite(score) {
            None => Span::styled("·", theme[Role::Dim]),
            Some(score) => {
                let style = if several && score >= best {
                    theme[Role::Accent]
                } else {
                    plain(theme)
                };
                Span::styled(BLOCKS[level(score, low, high)], style)
            }
        })
        .collect();
    if shown < scores.len() && columns > 0 {
        cells.push(Span::styled("…", theme[Role::Dim]));
    }
    cells
}

fn plain(theme: &Theme) -> Style {
    theme[Role::Aggregate]
        .fg
        .map_or(Style::new(), |fg| Style::new().fg(fg))
}

/// 0..=7; the middle where there is nothing to compare.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=7"
)]
fn level(score: f32, low: f32, high: f32) -> usize {
    let span = f64::from(high) - f64::from(low);
    if !(span.is_finite() && span > 0.0) {
        return 3;
    }
    let share = (f64::from(score) - f64::from(low)) / span;
    (share.clamp(0.0, 1.0) * 7.0).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(scores: &[Option<f32>], scale: Option<(f32, f32)>, columns: u16) -> String {
        score_cells(scores, scale, columns, &Theme::mono())
            .iter()
            .map(|s| s.content.as_ref())
            .collect()
    }

    #[test]
    fn heights_follow_the_scores_within_the_group_or_a_given_scale() {
        let scores = [Some(-1.0), None, Some(0.0), Some(2.5)];
        assert_eq!(text(&scores, None, 10), "▁·▃█");
        assert_eq!(text(&scores, Some((-3.0, 3.0)), 10), "▃·▅▇");
    }

    #[test]
    fn what_cannot_be_compared_stands_in_the_middle() {
        assert_eq!(text(&[Some(1.0)], None, 4), "▄");
        assert_eq!(text(&[Some(1.0), Some(1.0)], None, 4), "▄▄");
        assert_eq!(
            text(&[None, Some(f32::NAN), Some(f32::INFINITY)], None, 4),
            "···"
        );
        assert_eq!(text(&[Some(f32::MAX), Some(f32::MIN)], None, 4), "█▁");
    }

    #[test]
    fn more_candidates_than_columns_are_marked() {
        let many = [Some(1.0); 9];
        assert_eq!(text(&many, None, 4), "▄▄▄…");
        assert_eq!(text(&many, None, 1), "…");
        assert_eq!(text(&many, None, 0), "");
        assert_eq!(text(&[], None, 4), "");
    }

    #[test]
    fn the_best_stands_out_only_among_several() {
        let theme = Theme::mono();
        let cells = score_cells(&[Some(0.0), Some(1.0)], None, 4, &theme);
        assert_eq!(cells[1].style, theme[Role::Accent]);
        assert_ne!(cells[0].style, theme[Role::Accent]);
        let alone = score_cells(&[Some(0.0)], None, 4, &theme);
        assert_ne!(alone[0].style, theme[Role::Accent]);
    }
}
