//! The recipe: hand-written rows of photo, instruction and the edit that carries it out, as data, so that it can grow.
//!
//! A row is checked by itself and against a photo folder before anything is made; every complaint names its row. Whether an
//! edit looks right nobody can check but a person who looks at it.

use std::collections::HashSet;
use std::path::Path;

use serde::Deserialize;

use super::edits::{Nature, Step, nature};
use super::error::SynthError;
use super::photos::PhotoFolder;
use super::raster::select::Selection;

/// The rows and the stray edits of a recipe file.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    pub(crate) rows: Vec<Row>,
    pub(crate) strays: Vec<Stray>,
    fingerprint: String,
}

/// One group to be: a photo, what is asked for, and the steps that do it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// Lower-case words joined by hyphens; names the group and its files.
    pub(crate) id: String,
    /// The photo's file name.
    pub(crate) photo: String,
    /// The kind of edit, for the group's category.
    pub(crate) category: String,
    /// What a person would ask for.
    pub(crate) instruction: String,
    /// The right edit.
    pub(crate) steps: Vec<Step>,
    /// A wrong edit that fits this photo better than the recipe's strays.
    #[serde(default)]
    pub(crate) instead: Option<Stray>,
    /// Names of faults that would not look like faults here.
    #[serde(default)]
    pub(crate) avoid: Vec<String>,
}

/// An edit that nobody asked for, for the fault "wrong operation".
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stray {
    /// What it does, as a clause: "turned black and white".
    pub(crate) words: String,
    /// How.
    pub(crate) steps: Vec<Step>,
    /// Categories for which it might be taken for the right edit.
    #[serde(default)]
    pub(crate) not_for: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecipeFile {
    #[serde(default)]
    edit: Vec<toml::Table>,
    #[serde(default)]
    stray: Vec<Stray>,
}

impl Row {
    /// Whether the edit can be done to the wrong place.
    pub(crate) fn can_swap(&self) -> bool {
        self.steps.iter().all(|step| step.edit().can_swap())
    }

    pub(crate) fn nature(&self) -> Nature {
        nature(&self.steps)
    }

    /// Whether any of the row's edits works by the photo's mask.
    pub(crate) fn needs_mask(&self) -> bool {
        self.all_steps()
            .any(|step| step.edit().selection().is_some_and(Selection::needs_mask))
    }

    /// The file names of other photos that it needs.
    pub(crate) fn scenes(&self) -> impl Iterator<Item = &str> {
        self.all_steps().filter_map(|step| step.edit().scene())
    }

    fn all_steps(&self) -> impl Iterator<Item = &Step> {
        let instead = self.instead.iter().flat_map(|stray| &stray.steps);
        self.steps.iter().chain(instead)
    }
}

impl Recipe {
    /// The recipe that the sample data is made with.
    pub fn built_in() -> Result<Self, SynthError> {
        Self::parse(include_str!("recipe.toml"))
    }

    /// Reads a recipe file's text.
    pub fn parse(text: &str) -> Result<Self, SynthError> {
        let file: RecipeFile =
            toml::from_str(text).map_err(|e| SynthError::Recipe(e.to_string()))?;
        if file.edit.is_empty() {
            return Err(SynthError::Recipe(
                "it has no [[edit]] rows; each makes one group".into(),
            ));
        }
        let mut names = HashSet::new();
        let mut rows = Vec::with_capacity(file.edit.len());
        for (index, table) in file.edit.into_iter().enumerate() {
            let id = table.get("id").and_then(toml::Value::as_str).unwrap_or("?");
            let complain = |problem: String| SynthError::Row {
                row: index + 1,
                id: id.to_owned(),
                problem,
            };
            known_operations(&table).map_err(complain)?;
            let row: Row = Row::deserialize(table.clone())
                .map_err(|e| complain(e.to_string().trim_end().to_owned()))?;
            check(&row).map_err(complain)?;
            if !names.insert(row.id.clone()) {
                return Err(complain(
                    "another row has the same id; ids name files".into(),
                ));
            }
            rows.push(row);
        }
        for (index, row) in rows.iter().enumerate() {
            let fits = |stray: &Stray| !stray.not_for.contains(&row.category);
            if row.instead.is_none() && !file.stray.iter().any(fits) {
                return Err(SynthError::Row {
                    row: index + 1,
                    id: row.id.clone(),
                    problem: "no [[stray]] fits its category, so it needs an 'instead' of its own"
                        .into(),
                });
            }
        }
        Ok(Self {
            rows,
            strays: file.stray,
            fingerprint: blake3::hash(text.as_bytes()).to_hex().to_string(),
        })
    }

    /// Hex BLAKE3 of its text.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// How many groups its rows make.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has no rows; never so for a parsed one.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Checks every row against the photos that are there, their masks and their licences.
    pub(crate) fn check_against(&self, photos: &PhotoFolder) -> Result<(), SynthError> {
        for (index, row) in self.rows.iter().enumerate() {
            let complain = |problem: String| SynthError::Row {
                row: index + 1,
                id: row.id.clone(),
                problem,
            };
            photos.check_photo(&row.photo).map_err(complain)?;
            if row.needs_mask() {
                photos.check_mask(&row.photo).map_err(complain)?;
            }
            for scene in row.scenes() {
                photos.check_photo(scene).map_err(complain)?;
            }
        }
        Ok(())
    }
}

/// Serde's own complaint about an unknown tag does not say which step it stands in.
fn known_operations(table: &toml::Table) -> Result<(), String> {
    let steps = table.get("steps").and_then(toml::Value::as_array);
    for step in steps.into_iter().flatten() {
        let name = step.get("op").and_then(toml::Value::as_str);
        match name {
            None => return Err("a step lacks its 'op'".into()),
            Some(name) if !Step::NAMES.contains(&name) => {
                return Err(format!(
                    "unknown operation '{name}'; known are {}",
                    Step::NAMES.join(", ")
                ));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn check(row: &Row) -> Result<(), String> {
    let hyphenated = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    if !hyphenated(&row.id) {
        return Err("an id is lower-case letters, digits and hyphens, as it names files".into());
    }
    if !hyphenated(&row.category) {
        return Err(format!(
            "category '{}' is not lower-case words joined by hyphens",
            row.category
        ));
    }
    if row.instruction.trim().is_empty() {
        return Err("the instruction is empty".into());
    }
    if row.steps.is_empty() {
        return Err("it has no steps; list at least one operation".into());
    }
    let plain = |name: &str| !name.is_empty() && !name.contains(['/', '\\']) && name != "..";
    if !plain(&row.photo) || !row.scenes().all(plain) {
        return Err("a photo is given by its file name, without folders".into());
    }
    let jpeg = |name: &str| Path::new(name).extension().is_some_and(|ext| ext == "jpg");
    if !jpeg(&row.photo) || !row.scenes().all(jpeg) {
        return Err(
            "a photo is a '.jpg'; convert others first, as all pictures of a set are".into(),
        );
    }
    if let Some(name) = row
        .avoid
        .iter()
        .find(|name| !super::fault::Deed::NAMES.contains(&name.as_str()))
    {
        return Err(format!(
            "unknown fault '{name}' in 'avoid'; known are {}",
            super::fault::Deed::NAMES.join(", ")
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(rows: &str) -> String {
        Recipe::parse(rows).unwrap_err().to_string()
    }

    const GOOD: &str = r##"
        [[edit]]
        id = "one"
        photo = "a.jpg"
        category = "recolor"
        instruction = "Make it blue."
        steps = [{ op = "recolor", to = "#2040c0", select = { part = "subject" } }]
        instead = { words = "mirrored", steps = [{ op = "mirror" }] }
    "##;

    #[test]
    fn the_built_in_recipe_is_sound_and_large_enough() {
        let recipe = Recipe::built_in().unwrap();
        assert!(recipe.len() >= 45, "{}", recipe.len());
        let mut operations = HashSet::new();
        for row in &recipe.rows {
            for step in &row.steps {
                operations.insert(format!("{step:?}").split('(').next().unwrap().to_owned());
            }
        }
        assert!(operations.len() >= 20, "{operations:?}");
    }

    #[test]
    fn a_row_that_edits_the_subject_needs_its_mask() {
        let recipe = Recipe::parse(GOOD).unwrap();
        assert!(recipe.rows[0].needs_mask());
        assert!(recipe.rows[0].can_swap());
    }

    #[test]
    fn an_unknown_operation_is_named_with_its_row_and_the_known_ones() {
        let text = complaint(&GOOD.replace("op = \"recolor\"", "op = \"beautify\""));
        assert!(
            text.contains("row 1 ('one')") && text.contains("'beautify'"),
            "{text}"
        );
        assert!(text.contains("tilt-shift"), "{text}");
    }

    #[test]
    fn a_misspelt_setting_and_a_bad_color_are_named_with_their_row() {
        let text = complaint(&GOOD.replace("to =", "too ="));
        assert!(text.contains("row 1") && text.contains("too"), "{text}");
        let text = complaint(&GOOD.replace("#2040c0", "bluish"));
        assert!(
            text.contains("row 1") && text.contains("'bluish'"),
            "{text}"
        );
        let text = complaint(&GOOD.replace("part = ", "prat = "));
        assert!(text.contains("row 1") && text.contains("prat"), "{text}");
    }

    #[test]
    fn two_rows_of_one_id_and_unsafe_names_are_refused() {
        assert!(complaint(&format!("{GOOD}{GOOD}")).contains("row 2 ('one'): another row"));
        assert!(complaint(&GOOD.replace("a.jpg", "../a.jpg")).contains("without folders"));
        assert!(complaint(&GOOD.replace("\"one\"", "\"One/two\"")).contains("lower-case"));
    }

    #[test]
    fn an_empty_recipe_says_what_it_lacks() {
        assert!(complaint("").contains("[[edit]]"));
        assert!(complaint("edit = 3").contains("not readable"));
    }
}
