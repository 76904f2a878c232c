//! Splits: the groups of a workspace divided into parts ("train", "test", …) so that no source image is in two of them.
//!
//! A model that has seen a picture knows something of every edit of it, so pictures are divided, not groups. Sources are the
//! same when their content is, whatever they are called; and groups that share any image file (the edit of one is the source
//! of another) stay together as well. Which part a picture falls in depends on the seed and its content, not on names, order
//! or machine.

use std::collections::HashMap;

use serde::Serialize;

use super::store::{Workspace, WorkspaceError};

/// A part and its share of the groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// What it is called.
    pub name: String,
    /// Its share, above 0; shares are scaled to sum to 1.
    pub share: f64,
}

/// Reads `train=0.8,validation=0.1,test=0.1`.
pub fn parse_shares(text: &str) -> Result<Vec<Share>, String> {
    let mut shares: Vec<Share> = Vec::new();
    for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
        let (name, share) = part
            .split_once('=')
            .map(|(name, share)| (name.trim(), share.trim()))
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| format!("'{part}' is not NAME=SHARE (such as train=0.8)"))?;
        let share = share
            .parse::<f64>()
            .ok()
            .filter(|share| share.is_finite() && *share > 0.0)
            .ok_or_else(|| format!("the share of '{name}' is not a number above 0"))?;
        if shares.iter().any(|s| s.name == name) {
            return Err(format!("'{name}' is named twice"));
        }
        shares.push(Share {
            name: name.to_owned(),
            share,
        });
    }
    if shares.is_empty() {
        return Err("no part is named; such as train=0.8,test=0.2".into());
    }
    Ok(shares)
}

/// What a part has got.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PartReport {
    /// What it is called.
    pub name: String,
    /// Pictures, or bundles of pictures that share groups.
    pub sources: usize,
    /// Groups.
    pub groups: usize,
    /// Candidates.
    pub candidates: usize,
}

/// What a split did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SplitReport {
    /// The parts, in the order in which they were named.
    pub parts: Vec<PartReport>,
    /// Source images that cannot be read, which were told apart by their paths alone.
    pub unreadable: usize,
    /// Groups that were in another part before.
    pub moved: usize,
}

/// Divides a workspace into parts and stores in which each group is. `progress` hears how many sources of how many were
/// looked at. The same seed and contents give the same parts again.
pub fn split(
    workspace: &Workspace,
    shares: &[Share],
    seed: u64,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<SplitReport, WorkspaceError> {
    let survey = workspace.survey()?;
    let mut names: Vec<Option<String>> = vec![None; survey.images.len()];
    let (mut unreadable, total) = (0, survey.groups.len());
    for (done, group) in survey.groups.iter().enumerate() {
        if names[group.source].is_none() {
            let image = &survey.images[group.source];
            let name = image.examined(workspace).unwrap_or_else(|_| {
                unreadable += 1;
                format!("path {}", image.path())
            });
            names[group.source] = Some(name);
        }
        progress(done + 1, total);
    }
    let bundles = bundles(&survey.groups, &names, seed);
    let dealt = deal(&bundles, shares);
    let mut parts: Vec<PartReport> = shares
        .iter()
        .map(|share| PartReport {
            name: share.name.clone(),
            ..PartReport::default()
        })
        .collect();
    let mut rows = Vec::with_capacity(survey.groups.len());
    let mut moved = 0;
    for (bundle, part) in bundles.iter().zip(dealt) {
        parts[part].sources += 1;
        for &at in &bundle.groups {
            let group = &survey.groups[at];
            parts[part].groups += 1;
            parts[part].candidates += group.candidates.len();
            let name = shares[part].name.as_str();
            moved += usize::from(group.split.as_deref().is_some_and(|old| old != name));
            rows.push((group.id, name));
        }
    }
    workspace.set_splits(&rows)?;
    Ok(SplitReport {
        parts,
        unreadable,
        moved,
    })
}

/// Groups that have to stay together.
struct Bundle {
    /// Where it stands in the seeded order.
    rank: [u8; 32],
    /// Places in the survey.
    groups: Vec<usize>,
}

/// The bundles in the seeded order.
fn bundles(
    groups: &[super::store::SurveyedGroup],
    names: &[Option<String>],
    seed: u64,
) -> Vec<Bundle> {
    let mut together = Together::new(groups.len());
    // The first group that had a source of this content, or an image of this row.
    let (mut by_content, mut by_row) = (HashMap::new(), HashMap::new());
    for (at, group) in groups.iter().enumerate() {
        if let Some(name) = &names[group.source] {
            let first = *by_content.entry(name.as_str()).or_insert(at);
            together.join(first, at);
        }
        let images = group.candidates.iter().map(|(_, image)| *image);
        for image in images.chain([group.source]) {
            let first = *by_row.entry(image).or_insert(at);
            together.join(first, at);
        }
    }
    let mut bundles: HashMap<usize, Bundle> = HashMap::new();
    for (at, group) in groups.iter().enumerate() {
        let name = names[group.source].as_deref().unwrap_or(&group.key);
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        hasher.update(name.as_bytes());
        let rank = *hasher.finalize().as_bytes();
        let bundle = bundles.entry(together.root(at)).or_insert(Bundle {
            rank,
            groups: Vec::new(),
        });
        // The least of all, so that the order of groups does not matter.
        bundle.rank = bundle.rank.min(rank);
        bundle.groups.push(at);
    }
    let mut bundles: Vec<Bundle> = bundles.into_values().collect();
    bundles.sort_by(|a, b| (a.rank, &a.groups).cmp(&(b.rank, &b.groups)));
    bundles
}

/// The part of each bundle: always the one that lacks most of its share of the groups so far, in the order of the bundles.
fn deal(bundles: &[Bundle], shares: &[Share]) -> Vec<usize> {
    let sum: f64 = shares.iter().map(|s| s.share).sum();
    let mut has = vec![0.0; shares.len()];
    let mut all = 0.0;
    bundles
        .iter()
        .map(|bundle| {
            let size = bundle.groups.len() as f64;
            all += size;
            let lacks = |part: usize| shares[part].share / sum * all - has[part];
            let part = (0..shares.len())
                .max_by(|a, b| lacks(*a).total_cmp(&lacks(*b)).then(b.cmp(a)))
                .unwrap_or(0);
            has[part] += size;
            part
        })
        .collect()
}

/// Sets that are joined (union-find).
struct Together(Vec<usize>);

impl Together {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_and_what_is_wrong_with_them_is_said() {
        let shares = parse_shares("train=8, test=2").unwrap();
        assert_eq!((shares[1].name.as_str(), shares[1].share), ("test", 2.0));
        for (text, says) in [
            ("", "no part"),
            ("train", "not NAME=SHARE"),
            ("train=0", "not a number above 0"),
            ("train=nan", "not a number above 0"),
            ("a=1,a=2", "named twice"),
        ] {
            let error = parse_shares(text).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }

    /// Two groups a source, the source of every fifth group an edit of the one before; sources without files.
    fn workspace(groups: usize) -> (tempfile::TempDir, Workspace) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("groups.jsonl");
        let line = |i: usize| {
            let source = match i % 10 {
                5 => format!("e{}.png", i - 1),
                _ => format!("s{}.png", i / 2),
            };
            format!(
                r#"{{"id":"g{i}","source":"{source}","instruction":"x","candidates":[{{"id":"a","image":"e{i}.png"}}]}}"#
            )
        };
        let text: Vec<String> = (0..groups).map(line).collect();
        std::fs::write(&file, text.join("\n")).unwrap();
        let workspace = Workspace::create(dir.path()).unwrap();
        workspace.import_jsonl(&file).unwrap();
        (dir, workspace)
    }

    fn parts(workspace: &Workspace) -> HashMap<String, String> {
        let mut parts = HashMap::new();
        workspace
            .each_group(|group| {
                parts.insert(group.key, group.split.unwrap_or_default());
                Ok(())
            })
            .unwrap();
        parts
    }

    #[test]
    fn no_image_is_in_two_parts_and_each_part_gets_its_share() {
        let (_dir, workspace) = workspace(1000);
        let shares = parse_shares("train=0.8,validation=0.1,test=0.1").unwrap();
        let report = split(&workspace, &shares, 7, &mut |_, _| {}).unwrap();
        let got: Vec<usize> = report.parts.iter().map(|p| p.groups).collect();
        assert_eq!(got.iter().sum::<usize>(), 1000);
        for (part, expected) in got.iter().zip([800_usize, 100, 100]) {
            assert!(part.abs_diff(expected) <= 4, "{got:?}");
        }
        let mut seen: HashMap<String, String> = HashMap::new();
        workspace
            .each_group(|group| {
                let split = group.split.unwrap();
                let images = group.candidates.into_iter().map(|c| c.image.0);
                for image in images.chain([group.source.0]) {
                    let first = seen.entry(image).or_insert_with(|| split.clone());
                    assert_eq!(*first, split);
                }
                Ok(())
            })
            .unwrap();
    }

    #[test]
    fn the_same_seed_gives_the_same_parts_and_another_other_ones() {
        let (_dir, workspace) = workspace(100);
        let shares = parse_shares("train=1,test=1").unwrap();
        split(&workspace, &shares, 1, &mut |_, _| {}).unwrap();
        let first = parts(&workspace);
        let again = split(&workspace, &shares, 1, &mut |_, _| {}).unwrap();
        assert_eq!((again.moved, &parts(&workspace)), (0, &first));
        let other = split(&workspace, &shares, 2, &mut |_, _| {}).unwrap();
        assert!(other.moved > 10);
        assert_ne!(parts(&workspace), first);
    }
}
