//! The user's models: names for model dirs, kept in one small file, and adding to them. Where that file lies is for the caller
//! to say; what a model is lies in its dir, so that forgetting a name loses nothing.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::config::Config;
use super::error::ModelError;
use super::manifest::{self, Manifest, replace};
use super::reference_repo::{Adopted, adopt};

/// The names of the user's models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    path: PathBuf,
    models: Vec<Entry>,
}

/// A named model dir.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What the user calls it.
    pub name: String,
    /// Where it lies, absolute.
    pub dir: PathBuf,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    model: Vec<Entry>,
}

/// What to add, and how to make its manifest if it has none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Addition<'a> {
    /// A clone of the published repository, to make `reward.toml` from.
    pub reference_repo: Option<&'a Path>,
    /// Which of the clone's settings to follow; by itself the one for the model's backbone.
    pub config: Option<&'a str>,
    /// The name; by itself that in `reward.toml`, or the dir's.
    pub name: Option<&'a str>,
}

/// A model that was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// Its name and dir.
    pub entry: Entry,
    /// Its manifest.
    pub manifest: Manifest,
    /// The settings its new `reward.toml` was made from; `None` if it already had one.
    pub settings: Option<PathBuf>,
}

impl Registry {
    /// Reads the file at `path`; there need not be one yet.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let file: File = match fs::read_to_string(path) {
            Ok(text) => toml::from_str(&text)
                .map_err(|error| ModelError::config(path, error.to_string().trim_end()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => File::default(),
            Err(error) => return Err(ModelError::read(path)(error)),
        };
        Ok(Self {
            path: path.to_owned(),
            models: file.model,
        })
    }

    /// All models, by name.
    pub fn models(&self) -> &[Entry] {
        &self.models
    }

    /// The dir that `model` means: a name here, or the path of a dir with a `reward.toml`. Names go first.
    pub fn find(&self, model: &str) -> Result<PathBuf, ModelError> {
        if let Some(entry) = self.models.iter().find(|entry| entry.name == model) {
            return Ok(entry.dir.clone());
        }
        let dir = Path::new(model);
        if dir.join(manifest::FILE).is_file() {
            return Ok(dir.to_owned());
        }
        let fault = if dir.is_dir() {
            format!(
                "no '{}' here; write it with `erw model add '{model}' --reference-repo CLONE`",
                manifest::FILE
            )
        } else {
            let names: Vec<_> = self
                .models
                .iter()
                .map(|entry| entry.name.as_str())
                .collect();
            let known = if names.is_empty() {
                "none has been added yet; `erw model add DIR` does".to_owned()
            } else {
                format!("known are '{}'", names.join("', '"))
            };
            format!("neither a model's name nor a directory; {known}")
        };
        Err(ModelError::config(dir, fault))
    }

    /// Adds the model in `dir`, writing its `reward.toml` unless it has one, and stores its name. A name that already means
    /// another dir is refused; adding the same dir again only renames it.
    pub fn add(&mut self, dir: &Path, addition: Addition<'_>) -> Result<Added, ModelError> {
        Config::read(dir)?;
        let dir = fs::canonicalize(dir).map_err(ModelError::read(dir))?;
        let made = if dir.join(manifest::FILE).is_file() {
            None
        } else {
            Some(make(&dir, addition)?)
        };
        let manifest = match &made {
            Some(adopted) => adopted.manifest.clone(),
            None => Manifest::read(&dir)?,
        };
        let name = addition.name.unwrap_or(&manifest.name).trim();
        if name.is_empty() || name.contains(['/', '\\']) {
            return Err(ModelError::config(
                &dir,
                format!("'{name}' cannot be a model's name; choose one with --name"),
            ));
        }
        if let Some(other) = self
            .models
            .iter()
            .find(|entry| entry.name == name && entry.dir != dir)
        {
            return Err(ModelError::config(
                &dir,
                format!(
                    "the name '{name}' already means '{}'; choose another with --name",
                    other.dir.display()
                ),
            ));
        }
        let entry = Entry {
            name: name.to_owned(),
            dir: dir.clone(),
        };
        if made.is_some() {
            manifest.write(&dir)?;
        }
        self.models.retain(|entry| entry.dir != dir);
        self.models.push(entry.clone());
        self.models.sort_by(|a, b| a.name.cmp(&b.name));
        self.save()?;
        Ok(Added {
            entry,
            manifest,
            settings: made.map(|adopted| adopted.settings),
        })
    }

    /// Forgets a name; the dir stays as it is.
    pub fn remove(&mut self, name: &str) -> Result<Entry, ModelError> {
        let index = self.models.iter().position(|entry| entry.name == name);
        let index = index.ok_or_else(|| {
            ModelError::config(
                &self.path,
                format!("no model is called '{name}'; see `erw model list`"),
            )
        })?;
        let entry = self.models.remove(index);
        self.save()?;
        Ok(entry)
    }

    fn save(&self) -> Result<(), ModelError> {
        let file = File {
            model: self.models.clone(),
        };
        let text = toml::to_string_pretty(&file)
            .map_err(|error| ModelError::config(&self.path, error.to_string()))?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(ModelError::write(folder))?;
        replace(&self.path, &text).map_err(ModelError::write(&self.path))
    }
}

fn make(dir: &Path, addition: Addition<'_>) -> Result<Adopted, ModelError> {
    let Some(repo) = addition.reference_repo else {
        return Err(ModelError::config(
            dir,
            format!(
                "no '{}' here, and the texts the model was trained with must come from somewhere: \
                 git clone https://github.com/TIGER-AI-Lab/EditReward, then give that with --reference-repo",
                manifest::FILE
            ),
        ));
    };
    adopt(repo, dir, addition.config, addition.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixtures::model_copy;

    fn registry(home: &Path) -> Registry {
        Registry::open(&home.join("erw/models.toml")).unwrap()
    }

    #[test]
    fn a_model_that_was_added_is_found_by_name_and_by_path_until_it_is_removed() {
        let (home, dir) = (tempfile::tempdir().unwrap(), model_copy());
        let added = registry(home.path())
            .add(dir.path(), Addition::default())
            .unwrap();
        assert_eq!((added.entry.name.as_str(), added.settings), ("tiny", None));
        let mut again = registry(home.path());
        assert_eq!(again.models(), std::slice::from_ref(&added.entry));
        assert_eq!(again.find("tiny").unwrap(), added.entry.dir);
        assert_eq!(
            again.find(dir.path().to_str().unwrap()).unwrap(),
            dir.path()
        );
        again.remove("tiny").unwrap();
        assert!(registry(home.path()).models().is_empty());
        assert!(dir.path().join(manifest::FILE).is_file());
    }

    #[test]
    fn a_name_means_one_dir_and_a_dir_has_one_name() {
        let (home, one, two) = (tempfile::tempdir().unwrap(), model_copy(), model_copy());
        let mut registry = registry(home.path());
        registry.add(one.path(), Addition::default()).unwrap();
        let error = registry
            .add(two.path(), Addition::default())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("already means") && error.contains("--name"),
            "{error}"
        );
        let named = |name| Addition {
            name: Some(name),
            ..Addition::default()
        };
        registry.add(two.path(), named("other")).unwrap();
        registry.add(one.path(), named("renamed")).unwrap();
        let names: Vec<_> = registry
            .models()
            .iter()
            .map(|entry| entry.name.as_str())
            .collect();
        assert_eq!(names, ["other", "renamed"]);
        assert!(registry.add(one.path(), named("a/b")).is_err());
    }

    #[test]
    fn what_cannot_be_found_says_what_there_is() {
        let (home, dir) = (tempfile::tempdir().unwrap(), model_copy());
        let mut registry = registry(home.path());
        let reason =
            |registry: &Registry, model: &str| registry.find(model).unwrap_err().to_string();
        assert!(reason(&registry, "nothing").contains("none has been added yet"));
        registry.add(dir.path(), Addition::default()).unwrap();
        assert!(reason(&registry, "nothing").contains("known are 'tiny'"));
        assert!(reason(&registry, home.path().to_str().unwrap()).contains("erw model add"));
        assert!(registry.remove("nothing").is_err());
    }

    #[test]
    fn a_dir_that_is_no_model_or_has_no_texts_is_refused_and_not_stored() {
        let (home, dir) = (tempfile::tempdir().unwrap(), model_copy());
        let mut registry = registry(home.path());
        assert!(registry.add(home.path(), Addition::default()).is_err());
        fs::remove_file(dir.path().join(manifest::FILE)).unwrap();
        let error = registry
            .add(dir.path(), Addition::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains("--reference-repo"), "{error}");
        assert!(registry.models().is_empty());
        assert!(!home.path().join("erw").exists());
    }

    #[test]
    fn a_damaged_list_of_models_is_an_error_with_its_line() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("models.toml");
        fs::write(&path, "[[model]]\nname = \"a\"\ndri = \"/x\"\n").unwrap();
        let error = Registry::open(&path).unwrap_err().to_string();
        assert!(
            error.contains("models.toml") && error.contains("line 3"),
            "{error}"
        );
    }
}
