//! The plan of a run that is about to be: its text as lines, of which the values can be changed one by one, checked as a whole
//! at every change. Comments stay with their keys, and what is not set can be set.

use tui_input::Input;

/// The plan that a new one begins as: every key with its words, those that one rarely sets commented out.
const TEMPLATE: &str = include_str!("plan.toml");

/// What is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlanFault {
    /// The line of the plan's text, from 1.
    pub(crate) line: usize,
    /// What, and what would be right.
    pub(crate) words: String,
}

/// Says what is wrong with a plan's text.
pub(crate) type Check = fn(&str) -> Result<(), PlanFault>;

/// A line of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PlanLine {
    /// `[table]`.
    Table(String),
    /// `key = value # words`.
    Entry {
        /// Its name.
        key: String,
        /// As it is written.
        value: String,
        /// What it is about.
        words: String,
        /// Whether it is set, or commented out.
        set: bool,
    },
    /// Anything else.
    Other(String),
}

/// The form.
#[derive(Debug)]
pub(crate) struct Form {
    /// What it is a form for.
    pub(crate) title: String,
    /// The value being typed, if one is.
    pub(crate) typed: Option<Input>,
    /// What is wrong with the plan as it stands.
    pub(crate) fault: Option<PlanFault>,
    lines: Vec<PlanLine>,
    at: usize,
    check: Check,
}

impl Form {
    /// A plan from scratch.
    pub(crate) fn new(check: Check) -> Self {
        Self::of("New training".into(), lines_of(TEMPLATE), check)
    }

    /// A plan that says what `plan` says, under another name.
    pub(crate) fn like(title: &str, plan: &str, check: Check) -> Self {
        let mut lines = lines_of(TEMPLATE);
        match toml::from_str::<toml::Table>(plan) {
            Ok(table) => {
                for line in &mut lines {
                    if let PlanLine::Entry { set, .. } = line {
                        *set = false;
                    }
                }
                take_over(&mut lines, "", &table);
            }
            // It shows as it is, with what is wrong.
            Err(_) => lines = lines_of(plan),
        }
        put(&mut lines, "", "name", &quoted(&format!("{title}-fork")));
        Self::of(format!("Training like '{title}'"), lines, check)
    }

    fn of(title: String, lines: Vec<PlanLine>, check: Check) -> Self {
        let mut form = Self {
            title,
            typed: None,
            fault: None,
            lines,
            at: 0,
            check,
        };
        form.step(0);
        form.judge();
        form
    }

    /// The lines.
    pub(crate) fn lines(&self) -> &[PlanLine] {
        &self.lines
    }

    /// The marked line's place.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// The plan as it would be written, with what is being typed.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        for (at, line) in self.lines.iter().enumerate() {
            match line {
                PlanLine::Table(name) => out.extend(["[", name, "]"]),
                PlanLine::Entry {
                    key,
                    value,
                    words,
                    set,
                } => {
                    let typing = self.typed.as_ref().filter(|_| at == self.at);
                    let value = typing.map_or(value.clone(), |input| written(input.value(), value));
                    let mark = if *set || typing.is_some() { "" } else { "# " };
                    out.extend([mark, key, " = ", &value]);
                    if !words.is_empty() {
                        out.extend([" # ", words]);
                    }
                }
                PlanLine::Other(text) => out += text,
            }
            out.push('\n');
        }
        out
    }

    /// What the plan calls its model, for the run's title.
    pub(crate) fn name(&self) -> String {
        let named = self.lines.iter().find_map(|line| match line {
            PlanLine::Entry {
                key,
                value,
                set: true,
                ..
            } if key == "name" => Some(bare(value)),
            _ => None,
        });
        named.unwrap_or_default()
    }

    /// Marks the entry so many farther on, stopping at both ends.
    pub(crate) fn step(&mut self, by: isize) {
        let entries: Vec<usize> = (0..self.lines.len())
            .filter(|at| matches!(self.lines[*at], PlanLine::Entry { .. }))
            .collect();
        let here = entries.iter().position(|at| *at >= self.at).unwrap_or(0);
        let there = here
            .saturating_add_signed(by)
            .min(entries.len().saturating_sub(1));
        self.at = entries.get(there).copied().unwrap_or(0);
    }

    /// Begins to type the marked value.
    pub(crate) fn edit(&mut self) {
        if let Some(PlanLine::Entry { value, .. }) = self.lines.get(self.at) {
            self.typed = Some(Input::new(bare(value)));
        }
    }

    /// What is typed changes.
    pub(crate) fn type_into(&mut self, change: impl FnOnce(&mut Input)) {
        if let Some(input) = &mut self.typed {
            change(input);
            self.judge();
        }
    }

    /// Takes what was typed.
    pub(crate) fn take(&mut self) {
        if let Some(input) = self.typed.take()
            && let Some(PlanLine::Entry { value, set, .. }) = self.lines.get_mut(self.at)
        {
            *value = written(input.value(), value);
            *set = true;
        }
        self.judge();
    }

    /// Leaves the value as it was.
    pub(crate) fn leave(&mut self) {
        self.typed = None;
        self.judge();
    }

    /// Sets the marked key, or leaves it to its default.
    pub(crate) fn toggle(&mut self) {
        if let Some(PlanLine::Entry { set, .. }) = self.lines.get_mut(self.at) {
            *set = !*set;
        }
        self.judge();
    }

    fn judge(&mut self) {
        self.fault = (self.check)(&self.text()).err();
    }
}

/// A value as one types it: strings without their quotes.
fn bare(value: &str) -> String {
    match toml::from_str::<toml::Table>(&format!("x = {value}")) {
        Ok(table) => match table.get("x") {
            Some(toml::Value::String(text)) => text.clone(),
            _ => value.to_owned(),
        },
        Err(_) => value.to_owned(),
    }
}

/// What was typed, as TOML: with quotes where there were some, or where it would be nothing without.
fn written(typed: &str, before: &str) -> String {
    let typed = typed.trim();
    let whole = toml::from_str::<toml::Table>(&format!("x = {typed}")).is_ok_and(|t| t.len() == 1);
    let was_text = before.starts_with(['"', '\'']);
    if whole && !was_text {
        typed.to_owned()
    } else {
        quoted(typed)
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn lines_of(text: &str) -> Vec<PlanLine> {
    text.lines().map(line_of).collect()
}

fn line_of(text: &str) -> PlanLine {
    let trimmed = text.trim();
    if let Some(name) = trimmed
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return PlanLine::Table(name.trim().to_owned());
    }
    let (set, rest) = match trimmed.strip_prefix("# ") {
        Some(rest) => (false, rest),
        None => (true, trimmed),
    };
    let other = || PlanLine::Other(text.to_owned());
    let Some((key, rest)) = rest.split_once(" = ") else {
        return other();
    };
    let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    if !is_key {
        return other();
    }
    let (value, words) = split_words(rest);
    PlanLine::Entry {
        key: key.to_owned(),
        value: value.to_owned(),
        words: words.to_owned(),
        set,
    }
}

/// The value and the comment after it; a `#` within quotes is none.
fn split_words(rest: &str) -> (&str, &str) {
    let mut quotes = None;
    for (at, c) in rest.char_indices() {
        match (quotes, c) {
            (None, '"' | '\'') => quotes = Some(c),
            (Some(open), c) if open == c => quotes = None,
            (None, '#') => return (rest[..at].trim(), rest[at + 1..].trim()),
            _ => {}
        }
    }
    (rest.trim(), "")
}

/// Sets every value of `table`.
fn take_over(lines: &mut Vec<PlanLine>, name: &str, table: &toml::Table) {
    for (key, value) in table {
        match value {
            toml::Value::Table(inner) if name.is_empty() => take_over(lines, key, inner),
            value => put(lines, name, key, &value.to_string()),
        }
    }
}

/// Sets one value: where its key stands, else at the end of its table.
fn put(lines: &mut Vec<PlanLine>, table: &str, key: &str, value: &str) {
    let is_table = |line: &PlanLine| matches!(line, PlanLine::Table(name) if name == table);
    let start = if table.is_empty() {
        0
    } else if let Some(at) = lines.iter().position(is_table) {
        at + 1
    } else {
        lines.push(PlanLine::Table(table.to_owned()));
        lines.len()
    };
    let inside = |line: &&PlanLine| !matches!(line, PlanLine::Table(_));
    let end = start + lines[start..].iter().take_while(inside).count();
    for line in &mut lines[start..end] {
        if let PlanLine::Entry {
            key: known,
            value: old,
            set,
            ..
        } = line
            && known == key
        {
            value.clone_into(old);
            *set = true;
            return;
        }
    }
    let last = lines[start..end]
        .iter()
        .rposition(|l| matches!(l, PlanLine::Entry { .. }));
    let entry = PlanLine::Entry {
        key: key.to_owned(),
        value: value.to_owned(),
        words: String::new(),
        set: true,
    };
    lines.insert(last.map_or(start, |last| start + last + 1), entry);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only what TOML itself asks for.
    fn toml_alone(text: &str) -> Result<(), PlanFault> {
        toml::from_str::<toml::Table>(text)
            .map(drop)
            .map_err(|e| PlanFault {
                line: e
                    .span()
                    .map_or(1, |s| 1 + text[..s.start].matches('\n').count()),
                words: e.message().to_owned(),
            })
    }

    fn value(form: &Form, key: &str) -> Option<toml::Value> {
        let table: toml::Table = toml::from_str(&form.text()).unwrap();
        let mut found = table.get(key).cloned();
        for inner in table.values().filter_map(toml::Value::as_table) {
            found = found.or(inner.get(key).cloned());
        }
        found
    }

    fn go_to(form: &mut Form, key: &str) {
        form.step(-999);
        while !matches!(&form.lines()[form.at()], PlanLine::Entry { key: k, .. } if k == key) {
            let before = form.at();
            form.step(1);
            assert_ne!(before, form.at(), "no key '{key}'");
        }
    }

    fn enter(form: &mut Form, key: &str, typed: &str) {
        go_to(form, key);
        form.edit();
        form.type_into(|input| *input = Input::new(typed.into()));
        form.take();
    }

    #[test]
    fn the_template_comes_out_as_it_went_in() {
        assert_eq!(Form::new(toml_alone).text(), TEMPLATE);
        assert_eq!(Form::new(toml_alone).fault, None);
    }

    #[test]
    fn values_are_typed_without_quotes_and_written_with_them() {
        let mut form = Form::new(toml_alone);
        enter(&mut form, "name", "two \"words\" # here");
        assert_eq!(form.name(), "two \"words\" # here");
        enter(&mut form, "seed", "17");
        assert_eq!(value(&form, "seed"), Some(toml::Value::Integer(17)));
        enter(&mut form, "name", "7");
        assert_eq!(form.name(), "7");
        enter(&mut form, "validation_workspaces", "[\"a\", \"b\"]");
        assert!(value(&form, "validation_workspaces").unwrap().is_array());
        assert_eq!(form.fault, None);
    }

    #[test]
    fn what_is_not_set_can_be_set_and_left_out_again() {
        let mut form = Form::new(toml_alone);
        assert_eq!(value(&form, "steps"), None);
        go_to(&mut form, "steps");
        form.toggle();
        assert_eq!(value(&form, "steps"), Some(toml::Value::Integer(2000)));
        form.toggle();
        assert_eq!(value(&form, "steps"), None);
        enter(&mut form, "steps", "9");
        assert_eq!(value(&form, "steps"), Some(toml::Value::Integer(9)));
    }

    #[test]
    fn typing_is_checked_at_once_and_leaving_brings_the_value_back() {
        let strict: Check = |text| {
            let wrong = text.lines().position(|line| line.starts_with("seed = 9"));
            wrong.map_or(Ok(()), |at| {
                let words = "seed: too high".into();
                Err(PlanFault {
                    line: at + 1,
                    words,
                })
            })
        };
        let mut form = Form::new(strict);
        go_to(&mut form, "seed");
        form.edit();
        form.type_into(|input| *input = Input::new("9".into()));
        assert_eq!(form.fault.as_ref().unwrap().line, 2);
        form.leave();
        assert_eq!(
            (form.fault.clone(), value(&form, "seed")),
            (None, Some(toml::Value::Integer(0)))
        );
    }

    #[test]
    fn a_fork_says_what_the_other_says_and_no_more() {
        let plan = "name = \"base\"\nseed = 3\n[rates]\nall = 2e-6\n[extra]\nthing = true\n[loss]\nnew_key = \"x\"\n";
        let form = Form::like("base", plan, toml_alone);
        assert_eq!(form.name(), "base-fork");
        assert_eq!(value(&form, "seed"), Some(toml::Value::Integer(3)));
        assert_eq!(value(&form, "all"), Some(toml::Value::Float(2e-6)));
        assert_eq!(value(&form, "thing"), Some(toml::Value::Boolean(true)));
        assert_eq!(
            value(&form, "validation"),
            None,
            "left to its default, as there"
        );
        let text = form.text();
        let (loss, key) = (text.find("[loss]").unwrap(), text.find("new_key").unwrap());
        assert!(key > loss && key < text.find("[optimizer]").unwrap());
        assert_eq!(form.fault, None);
    }
}
