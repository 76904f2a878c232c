//! Whether a data set is sound, and whether two of them have anything in common that should be apart.
//!
//! A model that was tested on what it was trained on tells nothing. Two workspaces leak into each other when an image of one,
//! source or edit, has the same content as any image of the other, or when the same instruction is asked of the same source.
//! Contents are compared byte for byte (by hash): a picture that was encoded anew, cropped or resized is another one here.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Serialize;

use super::store::{Survey, SurveyedImage, Workspace, WorkspaceError};
use crate::domain::ImageRef;

/// At most so many examples of a problem are kept; all are counted.
const EXAMPLES: usize = 20;

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// A row that points to one that is not there, or a group without candidates.
    Orphan,
    /// An image that is missing, cannot be read, or is not an image.
    Image,
    /// A label that is not between 1 and 4.
    Label,
    /// The same instruction asked of the same source content in another group.
    DuplicateGroup,
    /// The same content as another candidate of its group.
    DuplicateCandidate,
    /// An image that groups of two parts of the data (its splits) have.
    SplitImage,
    /// An image with the content of one in the other workspace.
    LeakedImage,
    /// An instruction asked of the same source content in the other workspace.
    LeakedGroup,
}

impl Problem {
    /// Every problem, in the order in which they are told.
    pub const ALL: [Self; 8] = [
        Self::Orphan,
        Self::Image,
        Self::Label,
        Self::DuplicateGroup,
        Self::DuplicateCandidate,
        Self::SplitImage,
        Self::LeakedImage,
        Self::LeakedGroup,
    ];

    /// What it is called in a table.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Orphan => "rows that belong to nothing",
            Self::Image => "images missing or unreadable",
            Self::Label => "labels off the scale",
            Self::DuplicateGroup => "duplicate groups",
            Self::DuplicateCandidate => "duplicate candidates",
            Self::SplitImage => "images in two splits",
            Self::LeakedImage => "images also in the other",
            Self::LeakedGroup => "groups also in the other",
        }
    }
}

/// How often a problem was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// What.
    pub problem: Problem,
    /// How often.
    pub count: usize,
    /// The first of them, in words.
    pub examples: Vec<String>,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// Groups looked at.
    pub groups: usize,
    /// Their candidates.
    pub candidates: usize,
    /// Distinct image files.
    pub images: usize,
    /// Labels.
    pub labels: usize,
    /// Whether nothing was found.
    pub clean: bool,
    /// One entry a problem that was looked for, also where there is none of it.
    pub problems: Vec<Found>,
}

/// A survey with the hashes of its images.
struct Examined {
    survey: Survey,
    hashes: Vec<Result<String, String>>,
}

impl Examined {
    fn of(
        workspace: &Workspace,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, WorkspaceError> {
        let survey = workspace.survey()?;
        let hashes = hashes(workspace, &survey, progress);
        Ok(Self { survey, hashes })
    }

    fn hash(&self, image: usize) -> Option<&str> {
        self.hashes[image].as_deref().ok()
    }

    /// Each group whose source can be read, by what makes it the same: source content and instruction.
    fn asked(&self) -> impl Iterator<Item = ((&str, String), &str)> {
        self.survey.groups.iter().filter_map(|group| {
            let source = self.hash(group.source)?;
            Some(((source, plain(&group.instruction)), group.key.as_str()))
        })
    }
}

/// Checks a workspace, and what it has in common with another. `progress` hears how many images of how many were looked at.
pub fn check(
    workspace: &Workspace,
    against: Option<&Workspace>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<CheckReport, WorkspaceError> {
    let own = Examined::of(workspace, progress)?;
    let other = against
        .map(|other| Examined::of(other, progress))
        .transpose()?;
    let mut problems: Vec<Found> = Vec::new();
    let mut found = |problem, all: Vec<String>| {
        problems.push(Found {
            problem,
            count: all.len(),
            examples: all.into_iter().take(EXAMPLES).collect(),
        });
    };
    found(Problem::Orphan, own.survey.orphans.clone());
    found(Problem::Image, unreadable(&own));
    found(Problem::Label, own.survey.off_scale.clone());
    found(Problem::DuplicateGroup, duplicate_groups(&own));
    found(Problem::DuplicateCandidate, duplicate_candidates(&own));
    found(Problem::SplitImage, images_of_two_splits(&own));
    if let Some(other) = &other {
        found(Problem::LeakedImage, leaked_images(&own, other));
        found(Problem::LeakedGroup, leaked_groups(&own, other));
    }
    Ok(CheckReport {
        groups: own.survey.groups.len(),
        candidates: own.survey.groups.iter().map(|g| g.candidates.len()).sum(),
        images: own.survey.images.len(),
        labels: own.survey.labels,
        clean: problems.iter().all(|p| p.count == 0),
        problems,
    })
}

/// The content hash of each image, read on all cores.
fn hashes(
    workspace: &Workspace,
    survey: &Survey,
    progress: &mut dyn FnMut(usize, usize),
) -> Vec<Result<String, String>> {
    let images = &survey.images;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let (send, receive) = std::sync::mpsc::channel();
    let mut hashes = vec![Err(String::new()); images.len()];
    std::thread::scope(|scope| {
        for _ in 0..threads.min(images.len()) {
            let (send, next) = (send.clone(), &next);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(image) = images.get(at) else { break };
                    if send.send((at, image.examined(workspace))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        for (done, (at, hash)) in receive.into_iter().enumerate() {
            hashes[at] = hash;
            progress(done + 1, images.len());
        }
    });
    hashes
}

/// An instruction as far as it matters whether it is the same: capitals, spaces and the last full stop do not.
fn plain(instruction: &str) -> String {
    let words: Vec<&str> = instruction.split_whitespace().collect();
    words
        .join(" ")
        .to_lowercase()
        .trim_end_matches('.')
        .to_owned()
}

fn unreadable(own: &Examined) -> Vec<String> {
    let hashes = own.hashes.iter().zip(&own.survey.images);
    // A group that has no source lacks none.
    let lacking = |image: &SurveyedImage| image.path() != ImageRef::NONE;
    hashes
        .filter(|(_, image)| lacking(image))
        .filter_map(|(hash, _)| hash.as_ref().err().cloned())
        .collect()
}

fn duplicate_groups(own: &Examined) -> Vec<String> {
    let mut first = HashMap::new();
    let mut all = Vec::new();
    for (asked, key) in own.asked() {
        match first.get(&asked) {
            None => {
                first.insert(asked, key);
            }
            Some(earlier) => all.push(format!(
                "group '{key}' asks the same of the same source as '{earlier}'"
            )),
        }
    }
    all
}

fn duplicate_candidates(own: &Examined) -> Vec<String> {
    let mut all = Vec::new();
    for group in &own.survey.groups {
        let mut first: HashMap<&str, &str> = HashMap::new();
        for (key, image) in &group.candidates {
            let Some(hash) = own.hash(*image) else {
                continue;
            };
            match first.get(hash) {
                None => {
                    first.insert(hash, key);
                }
                Some(earlier) => all.push(format!(
                    "group '{}': candidate '{key}' is the same picture as '{earlier}'",
                    group.key
                )),
            }
        }
    }
    all
}

fn images_of_two_splits(own: &Examined) -> Vec<String> {
    let mut first: HashMap<&str, (&str, &str)> = HashMap::new();
    let mut told = HashSet::new();
    let mut all = Vec::new();
    for group in &own.survey.groups {
        let Some(split) = group.split.as_deref() else {
            continue;
        };
        let images = group.candidates.iter().map(|(_, image)| *image);
        for hash in images
            .chain([group.source])
            .filter_map(|image| own.hash(image))
        {
            let (part, key) = *first.entry(hash).or_insert((split, &group.key));
            if part != split && told.insert(hash) {
                all.push(format!(
                    "an image of group '{}' ({split}) is one of group '{key}' ({part})",
                    group.key
                ));
            }
        }
    }
    all
}

fn leaked_images(own: &Examined, other: &Examined) -> Vec<String> {
    let theirs: HashMap<&str, &str> = other
        .hashes
        .iter()
        .zip(&other.survey.images)
        .filter_map(|(hash, image)| Some((hash.as_deref().ok()?, image.path())))
        .collect();
    own.hashes
        .iter()
        .zip(&own.survey.images)
        .filter_map(|(hash, image)| {
            let theirs = theirs.get(hash.as_deref().ok()?)?;
            Some(format!("'{}' is '{theirs}' there", image.path()))
        })
        .collect()
}

fn leaked_groups(own: &Examined, other: &Examined) -> Vec<String> {
    let theirs: HashSet<_> = other.asked().map(|(asked, _)| asked).collect();
    own.asked()
        .filter(|(asked, _)| theirs.contains(asked))
        .map(|(_, key)| format!("group '{key}' asks the same of the same source"))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn picture(dir: &Path, name: &str, red: u8) {
        // An uncompressed BMP of 4 × 3 pixels.
        let mut bytes = b"BM".to_vec();
        bytes.extend((54_u32 + 36).to_le_bytes());
        for word in [0_u32, 54, 40, 4, 3, 1 | 24 << 16, 0, 36, 2835, 2835, 0, 0] {
            bytes.extend(word.to_le_bytes());
        }
        for _ in 0..12 {
            bytes.extend([0, 0, red]);
        }
        fs::write(dir.join(name), bytes).unwrap();
    }

    /// A workspace of groups: key, source, instruction, candidate images. Pictures are named after their red.
    fn workspace(groups: &[(&str, u8, &str, &[u8])]) -> (tempfile::TempDir, Workspace) {
        let dir = tempfile::tempdir().unwrap();
        let mut lines = String::new();
        for (key, source, instruction, edits) in groups {
            let candidates: Vec<_> = edits
                .iter()
                .enumerate()
                .map(|(at, red)| {
                    let name = format!("{key}-{at}.png");
                    picture(dir.path(), &name, *red);
                    serde_json::json!({"id": at.to_string(), "image": name})
                })
                .collect();
            let name = format!("{key}.png");
            picture(dir.path(), &name, *source);
            let line = serde_json::json!({"id": key, "source": name, "instruction": instruction,
                "candidates": candidates});
            lines.extend([line.to_string().as_str(), "\n"]);
        }
        let file = dir.path().join("groups.jsonl");
        fs::write(&file, lines).unwrap();
        let workspace = Workspace::create(dir.path()).unwrap();
        workspace.import_jsonl(&file).unwrap();
        (dir, workspace)
    }

    fn counts(workspace: &Workspace, against: Option<&Workspace>) -> Vec<(Problem, usize)> {
        let report = check(workspace, against, &mut |_, _| {}).unwrap();
        let found = report.problems.iter().filter(|p| p.count > 0);
        let found: Vec<_> = found.map(|p| (p.problem, p.count)).collect();
        assert_eq!(report.clean, found.is_empty());
        found
    }

    #[test]
    fn a_sound_workspace_is_clean() {
        let (_dir, workspace) = workspace(&[
            ("g", 1, "Make it red.", &[2, 3]),
            ("h", 1, "Blur it.", &[4]),
        ]);
        assert_eq!(counts(&workspace, None), []);
    }

    #[test]
    fn missing_and_broken_images_are_found_also_after_they_were_read() {
        let (dir, workspace) = workspace(&[("g", 1, "x", &[2, 3])]);
        let group = workspace.summaries(None, 1, None).unwrap()[0].id;
        workspace.hashes(group).unwrap();
        fs::remove_file(dir.path().join("g-0.png")).unwrap();
        fs::write(dir.path().join("g-1.png"), b"not a picture").unwrap();
        let report = check(&workspace, None, &mut |_, _| {}).unwrap();
        let images = &report.problems[1];
        assert_eq!((images.problem, images.count), (Problem::Image, 2));
        assert!(images.examples[0].contains("g-0.png"), "{images:?}");
        assert!(images.examples[1].contains("g-1.png"), "{images:?}");
    }

    #[test]
    fn duplicates_are_told_by_content_and_not_by_name() {
        let (_dir, workspace) = workspace(&[
            ("g", 1, "Make it red.", &[2, 3]),
            ("h", 1, "make it  red", &[4, 5]),
            ("i", 1, "Blur it.", &[6, 6, 6]),
        ]);
        assert_eq!(
            counts(&workspace, None),
            [
                (Problem::DuplicateGroup, 1),
                (Problem::DuplicateCandidate, 2)
            ]
        );
    }

    #[test]
    fn leaks_are_found_whatever_part_an_image_plays() {
        let (_one, train) =
            workspace(&[("g", 1, "Make it red.", &[2, 3]), ("h", 9, "Blur.", &[8])]);
        // The source of one is an edit of the other.
        let (_two, test) = workspace(&[("t", 3, "Make it red.", &[7])]);
        assert_eq!(counts(&train, Some(&test)), [(Problem::LeakedImage, 1)]);
        let (_three, same) = workspace(&[("t", 9, "blur", &[7])]);
        assert_eq!(
            counts(&train, Some(&same)),
            [(Problem::LeakedImage, 1), (Problem::LeakedGroup, 1)]
        );
        let (_four, apart) = workspace(&[("g", 10, "Make it red.", &[11])]);
        assert_eq!(counts(&train, Some(&apart)), []);
    }

    #[test]
    fn an_image_in_two_splits_is_told_once() {
        let (_dir, workspace) = workspace(&[
            ("g", 1, "Make it red.", &[2]),
            ("h", 1, "Blur it.", &[3]),
            ("i", 4, "Blur it.", &[2]),
        ]);
        let ids: Vec<i64> = workspace
            .survey()
            .unwrap()
            .groups
            .iter()
            .map(|g| g.id)
            .collect();
        let splits = |parts: [&str; 3]| {
            let rows: Vec<_> = ids.iter().copied().zip(parts).collect();
            workspace.set_splits(&rows).unwrap();
            counts(&workspace, None)
        };
        assert_eq!(splits(["train", "train", "train"]), []);
        assert_eq!(
            splits(["train", "train", "test"]),
            [(Problem::SplitImage, 1)]
        );
        assert_eq!(
            splits(["train", "test", "test"]),
            [(Problem::SplitImage, 2)]
        );
    }

    #[test]
    fn many_of_a_problem_are_all_counted_and_some_named() {
        let edits = [5_u8; 40];
        let (_dir, workspace) = workspace(&[("g", 1, "x", &edits)]);
        let report = check(&workspace, None, &mut |_, _| {}).unwrap();
        let found = &report.problems[4];
        assert_eq!((found.count, found.examples.len()), (39, EXAMPLES));
    }
}
