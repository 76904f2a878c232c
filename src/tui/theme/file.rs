//! Theme files: TOML to a [`Theme`], through `inherits`, with the line of every mistake. Refuses what it does not know.
//!
//! ```toml
//! inherits = "graphite"            # optional: an embedded theme, or a file beside this one
//! background = "ground"            # what the theme paints, and what its contrasts are measured against
//! series = ["#e69f00", "blue"]     # candidates, in order
//!
//! [palette]                        # names for colours; a child's palette also recolours what it inherits
//! ground = "#16181d"
//!
//! [roles]                          # a foreground, or { fg, bg, bold, dim, italic, underlined, reversed }
//! title = { fg = "blue", bold = true }
//! ```

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use ratatui::style::{Modifier, Style};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Depth, EMBEDDED, Rgb, Role, Theme, ThemeError};

/// Where a value stands, for messages.
#[derive(Debug, Clone)]
struct Place {
    file: Rc<str>,
    line: usize,
    key: String,
}

impl Place {
    fn error(&self, problem: impl Into<String>) -> ThemeError {
        ThemeError::Invalid {
            file: self.file.to_string(),
            line: self.line,
            key: self.key.clone(),
            problem: problem.into(),
        }
    }
}

/// A colour as written.
type Written = (String, Place);

#[derive(Debug, Clone, Default)]
struct RawStyle {
    fg: Option<Written>,
    bg: Option<Written>,
    modifiers: Modifier,
}

/// A file's content, and below it what it inherits, with names not yet looked up.
#[derive(Debug, Clone, Default)]
struct Raw {
    background: Option<Written>,
    series: Vec<Written>,
    palette: BTreeMap<String, Written>,
    roles: BTreeMap<&'static str, RawStyle>,
}

/// One file's text while it is read.
struct Reader<'a> {
    file: Rc<str>,
    text: &'a str,
    folder: Option<PathBuf>,
}

/// Loads an embedded theme or a file.
pub(super) fn load(name_or_path: &str, is_path: bool) -> Result<Theme, ThemeError> {
    let raw = if is_path {
        read_file(Path::new(name_or_path), &mut Vec::new())?
    } else {
        read_embedded(name_or_path, &mut Vec::new())?
    };
    resolve(name_or_path, &raw)
}

fn read_embedded(name: &str, ancestors: &mut Vec<String>) -> Result<Raw, ThemeError> {
    let Some((_, text)) = EMBEDDED.iter().find(|(known, _)| *known == name) else {
        return Err(ThemeError::Unknown { name: name.into() });
    };
    let reader = Reader {
        file: format!("<{name}>").into(),
        text,
        folder: None,
    };
    reader.read(ancestors)
}

fn read_file(path: &Path, ancestors: &mut Vec<String>) -> Result<Raw, ThemeError> {
    let text = std::fs::read_to_string(path).map_err(|source| ThemeError::Unreadable {
        path: path.into(),
        source,
    })?;
    let reader = Reader {
        file: path.display().to_string().into(),
        text: &text,
        folder: path.parent().map(Into::into),
    };
    reader.read(ancestors)
}

impl Reader<'_> {
    fn place(&self, span: Range<usize>, key: impl Into<String>) -> Place {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        Place {
            file: Rc::clone(&self.file),
            line: 1 + before.matches('\n').count(),
            key: key.into(),
        }
    }

    fn read(&self, ancestors: &mut Vec<String>) -> Result<Raw, ThemeError> {
        ancestors.push(self.file.to_string());
        let table = DeTable::parse(self.text).map_err(|e| {
            self.place(e.span().unwrap_or_default(), "")
                .error(format!("not TOML: {}", e.message()))
        })?;
        let mut raw = match table.get_ref().get("inherits") {
            Some(value) => self.inherited(value, ancestors)?,
            None => Raw::default(),
        };
        for (key, value) in table.get_ref() {
            match key.get_ref().as_ref() {
                "inherits" => {}
                "background" => raw.background = Some(self.text_of(value, "background")?),
                "series" => raw.series = self.series(value)?,
                "palette" => self.palette(value, &mut raw)?,
                "roles" => self.roles(value, &mut raw)?,
                other => {
                    return Err(self.place(key.span(), other).error(
                        "unknown key; known are 'inherits', 'background', 'series', '[palette]' and '[roles]'",
                    ));
                }
            }
        }
        Ok(raw)
    }

    fn inherited(
        &self,
        value: &Spanned<DeValue<'_>>,
        ancestors: &mut Vec<String>,
    ) -> Result<Raw, ThemeError> {
        let (parent, place) = self.text_of(value, "inherits")?;
        if EMBEDDED.iter().any(|(name, _)| *name == parent) {
            let file = format!("<{parent}>");
            if ancestors.contains(&file) {
                return Err(place.error(format!("'{parent}' inherits from itself")));
            }
            return read_embedded(&parent, ancestors);
        }
        if Path::new(&parent).extension().is_none_or(|e| e != "toml") {
            return Err(place.error(format!(
                "there is no theme '{parent}'; name one of {}, or a .toml file beside this one",
                Theme::names().join(", ")
            )));
        }
        let path = self.folder.clone().unwrap_or_default().join(&parent);
        if ancestors.contains(&path.display().to_string()) {
            return Err(place.error(format!("'{parent}' inherits from itself")));
        }
        read_file(&path, ancestors).map_err(|error| match error {
            ThemeError::Unreadable { source, .. } => {
                place.error(format!("'{parent}' cannot be read: {source}"))
            }
            other => other,
        })
    }

    fn text_of(&self, value: &Spanned<DeValue<'_>>, key: &str) -> Result<Written, ThemeError> {
        let place = self.place(value.span(), key);
        match value.get_ref().as_str() {
            Some(text) => Ok((text.to_owned(), place)),
            None => Err(place.error("must be a string in quotes")),
        }
    }

    fn series(&self, value: &Spanned<DeValue<'_>>) -> Result<Vec<Written>, ThemeError> {
        let place = self.place(value.span(), "series");
        let Some(list) = value.get_ref().as_array() else {
            return Err(place.error("must be a list of colours"));
        };
        if list.is_empty() {
            return Err(place.error("must name at least one colour"));
        }
        list.iter().map(|v| self.text_of(v, "series")).collect()
    }

    fn palette(&self, value: &Spanned<DeValue<'_>>, raw: &mut Raw) -> Result<(), ThemeError> {
        let Some(table) = value.get_ref().as_table() else {
            return Err(self.place(value.span(), "palette").error("must be a table"));
        };
        for (name, value) in table {
            let key = format!("palette.{}", name.get_ref());
            let (text, place) = self.text_of(value, &key)?;
            if Rgb::parse(&text).is_none() {
                return Err(place.error(format!("'{text}' is no colour; write it as '#rrggbb'")));
            }
            raw.palette
                .insert(name.get_ref().to_string(), (text, place));
        }
        Ok(())
    }

    fn roles(&self, value: &Spanned<DeValue<'_>>, raw: &mut Raw) -> Result<(), ThemeError> {
        let Some(table) = value.get_ref().as_table() else {
            return Err(self.place(value.span(), "roles").error("must be a table"));
        };
        for (name, value) in table {
            let key = format!("roles.{}", name.get_ref());
            let Some(role) = Role::ALL.iter().find(|r| r.key() == name.get_ref()) else {
                return Err(self.place(name.span(), key).error(format!(
                    "unknown role; known are {}",
                    Role::ALL.map(Role::key).join(", ")
                )));
            };
            let style = self.style(value, &key)?;
            raw.roles.insert(role.key(), style);
        }
        Ok(())
    }

    fn style(&self, value: &Spanned<DeValue<'_>>, key: &str) -> Result<RawStyle, ThemeError> {
        let mut style = RawStyle::default();
        let Some(table) = value.get_ref().as_table() else {
            if value.get_ref().is_str() {
                style.fg = Some(self.text_of(value, key)?);
                return Ok(style);
            }
            return Err(self
                .place(value.span(), key)
                .error("must be a colour or a table such as { fg = \"blue\", bold = true }"));
        };
        for (name, value) in table {
            let name_key = format!("{key}.{}", name.get_ref());
            let modifier = match name.get_ref().as_ref() {
                "fg" => {
                    style.fg = Some(self.text_of(value, &name_key)?);
                    continue;
                }
                "bg" => {
                    style.bg = Some(self.text_of(value, &name_key)?);
                    continue;
                }
                "bold" => Modifier::BOLD,
                "dim" => Modifier::DIM,
                "italic" => Modifier::ITALIC,
                "underlined" => Modifier::UNDERLINED,
                "reversed" => Modifier::REVERSED,
                _ => {
                    return Err(self.place(name.span(), name_key).error(
                        "unknown key; known are fg, bg, bold, dim, italic, underlined, reversed",
                    ));
                }
            };
            match value.get_ref().as_bool() {
                Some(on) => style.modifiers.set(modifier, on),
                None => {
                    return Err(self
                        .place(value.span(), name_key)
                        .error("must be true or false"));
                }
            }
        }
        Ok(style)
    }
}

/// Looks every name up in the merged palette.
fn resolve(name: &str, raw: &Raw) -> Result<Theme, ThemeError> {
    let lacks = |key: &str| ThemeError::Invalid {
        file: name.into(),
        line: 1,
        key: key.into(),
        problem: "is missing; state it, or inherit it with 'inherits = \"graphite\"'".into(),
    };
    let color = |(text, place): &Written| {
        Rgb::parse(text)
            .or_else(|| raw.palette.get(text).and_then(|(hex, _)| Rgb::parse(hex)))
            .ok_or_else(|| {
                place.error(format!(
                    "'{text}' is neither a colour like '#rrggbb' nor a name in [palette]"
                ))
            })
    };
    let background = color(raw.background.as_ref().ok_or_else(|| lacks("background"))?)?;
    let mut styles = [Style::new(); Role::ALL.len()];
    for role in Role::ALL {
        let written = raw
            .roles
            .get(role.key())
            .ok_or_else(|| lacks(&format!("roles.{}", role.key())))?;
        let style = &mut styles[role as usize];
        *style = style.add_modifier(written.modifiers);
        style.fg = written.fg.as_ref().map(color).transpose()?.map(Rgb::color);
        style.bg = written.bg.as_ref().map(color).transpose()?.map(Rgb::color);
        if role == Role::Text {
            style.bg = style.bg.or(Some(background.color()));
        }
    }
    if raw.series.is_empty() {
        return Err(lacks("series"));
    }
    let series = raw
        .series
        .iter()
        .map(|written| color(written).map(|rgb| Style::new().fg(rgb.color())))
        .collect::<Result<_, _>>()?;
    Ok(Theme {
        name: name.into(),
        background: Some(background),
        truth: styles,
        styles,
        series,
        depth: Depth::True,
    })
}
