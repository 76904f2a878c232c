//! The mark that says how far a group's annotators agree.

use ratatui::text::Span;

use crate::domain::Agreement;
use crate::tui::theme::{Role, Theme};

/// One column: `✓` high, `≈` fair, `✗` low, `·` not known.
pub fn agreement_mark(agreement: Agreement, theme: &Theme) -> Span<'static> {
    let (mark, role) = match agreement {
        Agreement::High => ("✓", Role::Good),
        Agreement::Fair => ("≈", Role::Fair),
        Agreement::Low => ("✗", Role::Bad),
        Agreement::Unknown => ("·", Role::Dim),
    };
    Span::styled(mark, theme[role])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_differ_without_colour() {
        let marks = [
            Agreement::High,
            Agreement::Fair,
            Agreement::Low,
            Agreement::Unknown,
        ]
        .map(|a| agreement_mark(a, &Theme::mono()).content);
        for (i, mark) in marks.iter().enumerate() {
            assert!(!marks[..i].contains(mark));
            assert_eq!(super::super::text::width(mark), 1);
        }
    }
}
