//! What is right and wrong about a checkpoint's tensors, for people to read.

use std::fmt;
use std::path::PathBuf;

use super::names::Generation;

/// How a checkpoint's tensors compare with what its configuration calls for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// The weights files, in the order they are read.
    pub files: Vec<PathBuf>,
    /// Which generation of names they use; `None` when no name is telling.
    pub generation: Option<Generation>,
    /// How many tensors are needed.
    pub expected: usize,
    /// Parameters in the tensors that are needed and there.
    pub parameters: u64,
    /// Needed and not there.
    pub missing: Vec<String>,
    /// There and not needed (an output projection is let pass).
    pub unexpected: Vec<String>,
    /// There in another shape or in a number format that cannot be read.
    pub misshapen: Vec<Misshapen>,
}

/// A tensor of the right name and the wrong form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misshapen {
    /// Its name.
    pub name: String,
    /// What was found, and what is needed.
    pub reason: String,
}

impl CheckReport {
    /// Whether the weights can be used.
    pub fn is_clean(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.misshapen.is_empty()
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// More names than this help nobody on a screen; `erw model check --json` has them all.
        const SHOWN: usize = 8;
        let list = |f: &mut fmt::Formatter<'_>, what: &str, names: &[String]| {
            if names.is_empty() {
                return Ok(());
            }
            writeln!(f, "  {} {what}:", names.len())?;
            for name in names.iter().take(SHOWN) {
                writeln!(f, "    {name}")?;
            }
            match names.len().saturating_sub(SHOWN) {
                0 => Ok(()),
                more => writeln!(f, "    … and {more} more"),
            }
        };
        if self.is_clean() {
            return write!(f, "all {} tensors are there, and no other", self.expected);
        }
        list(f, "missing", &self.missing)?;
        list(f, "unexpected", &self.unexpected)?;
        let misshapen: Vec<String> = self
            .misshapen
            .iter()
            .map(|m| format!("{}: {}", m.name, m.reason))
            .collect();
        list(f, "misshapen", &misshapen)?;
        write!(f, "  of {} needed", self.expected)
    }
}
