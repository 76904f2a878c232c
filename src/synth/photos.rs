//! A folder of photos: pictures, masks, who made them and under which licence they may be used.
//!
//! The folder holds `CREDITS.tsv`, the photos (beside it or in `photos/`), and optionally `masks/NAME.png` and `SUBJECTS.tsv`.
//! A photo without a credit, or under a licence that is not listed here, is not used: that is refused, not skipped. Where nothing
//! is to be published, a folder without `CREDITS.tsv` will do.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use image::{GrayImage, ImageReader, RgbImage};

use super::error::SynthError;
use super::raster::color::byte;
use super::raster::grid::{Grid, smoothstep};
use super::raster::mask::Mask;
use super::raster::picture::{fitted, resized};

/// Licences that allow edits to be published, and what they ask for.
const LICENCES: &[(&str, &str)] = &[
    (
        "CC0-1.0",
        "https://creativecommons.org/publicdomain/zero/1.0/",
    ),
    ("Public domain", ""),
    ("CC-BY-2.0", "https://creativecommons.org/licenses/by/2.0/"),
    ("CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/"),
];

/// What the names of photos end with.
const PHOTO_ENDINGS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

/// The columns of `CREDITS.tsv` that must be there.
const COLUMNS: [&str; 5] = ["file", "title", "author", "license", "changes"];

/// One photo's row of `CREDITS.tsv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Credit {
    pub(crate) title: String,
    pub(crate) author: String,
    pub(crate) license: String,
    /// Where the licence can be read; empty for the public domain.
    pub(crate) license_link: &'static str,
    /// Where the photo is from, as far as known.
    pub(crate) source: String,
    /// What was done to it before.
    pub(crate) changes: String,
}

/// One photo's row of `SUBJECTS.tsv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) background: String,
    /// Good enough for local edits.
    pub(crate) usable: bool,
}

/// An opened photo folder.
#[derive(Debug)]
pub(crate) struct PhotoFolder {
    dir: PathBuf,
    photos: PathBuf,
    pub(crate) credits: BTreeMap<String, Credit>,
    pub(crate) subjects: BTreeMap<String, Subject>,
    credited: bool,
}

impl PhotoFolder {
    /// A folder that has its `CREDITS.tsv`.
    pub(crate) fn open(dir: &Path) -> Result<Self, SynthError> {
        Self::opened(dir, true)
    }

    /// A folder that may be without.
    pub(crate) fn open_any(dir: &Path) -> Result<Self, SynthError> {
        Self::opened(dir, false)
    }

    fn opened(dir: &Path, must_be_credited: bool) -> Result<Self, SynthError> {
        let problem = |problem: String| SynthError::Photos {
            dir: dir.to_owned(),
            problem,
        };
        if !dir.is_dir() {
            return Err(problem("there is no such folder".to_owned()));
        }
        let (credits, credited) = match fs::read_to_string(dir.join("CREDITS.tsv")) {
            Ok(text) => (parse_credits(&text).map_err(problem)?, true),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && !must_be_credited => {
                (BTreeMap::new(), false)
            }
            Err(e) => {
                return Err(problem(format!(
                    "CREDITS.tsv: {e}; the photos' authors and licences are listed there"
                )));
            }
        };
        let subjects = match fs::read_to_string(dir.join("SUBJECTS.tsv")) {
            Ok(text) => parse_subjects(&text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(e) => return Err(problem(format!("SUBJECTS.tsv: {e}"))),
        };
        let inner = dir.join("photos");
        Ok(Self {
            dir: dir.to_owned(),
            photos: if inner.is_dir() {
                inner
            } else {
                dir.to_owned()
            },
            credits,
            subjects,
            credited,
        })
    }

    /// Whether there is a `CREDITS.tsv`.
    pub(crate) const fn credited(&self) -> bool {
        self.credited
    }

    /// The names of its photos, sorted.
    pub(crate) fn files(&self) -> Result<Vec<String>, SynthError> {
        let problem = |e: std::io::Error| SynthError::Photos {
            dir: self.photos.clone(),
            problem: e.to_string(),
        };
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.photos).map_err(problem)? {
            let path = entry.map_err(problem)?.path();
            let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
            let is_photo = ending.is_some_and(|e| PHOTO_ENDINGS.contains(&e.as_str()));
            if let (true, Some(name)) = (is_photo && path.is_file(), path.file_name()) {
                files.push(name.to_string_lossy().into_owned());
            }
        }
        files.sort();
        Ok(files)
    }

    pub(crate) fn photo_path(&self, file: &str) -> PathBuf {
        self.photos.join(file)
    }

    fn mask_path(&self, file: &str) -> PathBuf {
        self.dir
            .join("masks")
            .join(Path::new(file).with_extension("png"))
    }

    /// Says what keeps a photo from being used.
    pub(crate) fn check_photo(&self, file: &str) -> Result<(), String> {
        if !self.photo_path(file).is_file() {
            return Err(format!(
                "unknown photo '{file}': it is not in '{}'",
                self.photos.display()
            ));
        }
        self.check_credit(file)
    }

    /// Says so if the photo lacks the credit that others of its folder have.
    pub(crate) fn check_credit(&self, file: &str) -> Result<(), String> {
        if self.credits.contains_key(file) || !self.credited {
            Ok(())
        } else {
            Err(format!(
                "photo '{file}' has no row in CREDITS.tsv; add its author and licence"
            ))
        }
    }

    /// Says what keeps a photo's mask from being used.
    pub(crate) fn check_mask(&self, file: &str) -> Result<(), String> {
        if !self.mask_path(file).is_file() {
            return Err(format!(
                "missing mask '{}': an edit of a subject or background needs one",
                self.mask_path(file).display()
            ));
        }
        match self.subjects.get(file) {
            Some(subject) if !subject.usable => Err(format!(
                "the mask of '{file}' is marked poor in SUBJECTS.tsv; use edits of the whole picture"
            )),
            _ => Ok(()),
        }
    }

    /// Whether the photo has a mask that local edits can use.
    pub(crate) fn has_mask(&self, file: &str) -> bool {
        self.check_mask(file).is_ok()
    }

    /// A photo, at most `long_side` pixels long.
    pub(crate) fn photo(&self, file: &str, long_side: u32) -> Result<RgbImage, SynthError> {
        let path = self.photo_path(file);
        fitted(decoded(&path)?.to_rgb8(), long_side).map_err(|e| SynthError::image(&path, &e))
    }

    /// A photo's mask, at most `long_side` pixels long, white where the subject is, with its soft edge.
    pub(crate) fn mask_image(&self, file: &str, long_side: u32) -> Result<GrayImage, SynthError> {
        let path = self.mask_path(file);
        let mut mask = decoded(&path)?.to_luma8();
        for pixel in mask.pixels_mut() {
            // The masks hold confidences: half-sure is the edge.
            pixel.0 = pixel
                .0
                .map(|v| byte(smoothstep(0.35, 0.65, f32::from(v) / 255.0)));
        }
        let longest = mask.width().max(mask.height());
        if longest <= long_side {
            return Ok(mask);
        }
        let scaled = |side: u32| (side * long_side).div_ceil(longest).max(1);
        let to = (scaled(mask.width()), scaled(mask.height()));
        resized_mask(mask, to, &path)
    }

    /// A photo's mask as an edit uses it, in a given size.
    pub(crate) fn mask(&self, file: &str, size: (u32, u32)) -> Result<Mask, SynthError> {
        let path = self.mask_path(file);
        let full = self.mask_image(file, u32::MAX)?;
        let scaled = resized_mask(full, size, &path)?;
        let grid = Grid {
            width: scaled.width() as usize,
            height: scaled.height() as usize,
            cells: scaled.pixels().map(|p| f32::from(p.0[0]) / 255.0).collect(),
        };
        Ok(grid.blurred(0.7))
    }
}

fn resized_mask(mask: GrayImage, to: (u32, u32), path: &Path) -> Result<GrayImage, SynthError> {
    let (width, height) = mask.dimensions();
    let kind = fast_image_resize::PixelType::U8;
    resized(width, height, mask.into_raw(), to, kind)
        .and_then(|bytes| {
            GrayImage::from_raw(to.0, to.1, bytes).ok_or_else(|| "lost pixels".to_owned())
        })
        .map_err(|e| SynthError::image(path, &e))
}

fn decoded(path: &Path) -> Result<image::DynamicImage, SynthError> {
    ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .map_err(|e| SynthError::image(path, &e))?
        .decode()
        .map_err(|e| SynthError::image(path, &e))
}

fn parse_credits(text: &str) -> Result<BTreeMap<String, Credit>, String> {
    let mut lines = text.lines().enumerate();
    let header: Vec<&str> = lines.next().map_or("", |(_, l)| l).split('\t').collect();
    let column = |name: &str| {
        // Both spellings are in use.
        let is_it = |c: &str| c == name || (name == "license" && c == "licence");
        header.iter().position(|c| is_it(c))
    };
    if let Some(missing) = COLUMNS.iter().find(|name| column(name).is_none()) {
        return Err(format!("CREDITS.tsv has no column '{missing}'"));
    }
    let source = header.iter().position(|c| c.starts_with("source"));
    let mut credits = BTreeMap::new();
    for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
        let cell = |index: Option<usize>| {
            index
                .and_then(|i| cells.get(i))
                .map_or_else(String::new, |c| (*c).to_owned())
        };
        let file = cell(column("file"));
        let license = cell(column("license"));
        let Some((_, license_link)) = LICENCES.iter().find(|(name, _)| *name == license) else {
            let known: Vec<&str> = LICENCES.iter().map(|(name, _)| *name).collect();
            return Err(format!(
                "CREDITS.tsv line {}: '{file}' has the licence '{license}'; only {} are known to allow edits",
                number + 1,
                known.join(", ")
            ));
        };
        let credit = Credit {
            title: cell(column("title")),
            author: cell(column("author")),
            license,
            license_link,
            source: cell(source),
            changes: cell(column("changes")),
        };
        if credit.license.starts_with("CC-BY")
            && (credit.author.is_empty() || credit.source.is_empty())
        {
            return Err(format!(
                "CREDITS.tsv line {}: '{file}' is {} and needs an author and a source",
                number + 1,
                credit.license
            ));
        }
        credits.insert(file, credit);
    }
    Ok(credits)
}

fn parse_subjects(text: &str) -> BTreeMap<String, Subject> {
    text.lines()
        .skip(1)
        .filter_map(|line| {
            let mut cells = line.split('\t').map(str::trim);
            let file = cells.next()?.to_owned();
            let subject = Subject {
                name: cells.next()?.to_owned(),
                background: cells.next()?.to_owned(),
                usable: cells.next()? != "poor",
            };
            Some((file, subject))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "file\ttitle\tauthor\tlicense\tsource url\tchanges";

    #[test]
    fn a_credit_is_read_by_its_header() {
        let text = format!("{HEADER}\na.jpg\tA cat\tAnn\tCC-BY-4.0\thttps://x\tcropped\n");
        let credits = parse_credits(&text).unwrap();
        assert_eq!(credits["a.jpg"].author, "Ann");
        assert!(credits["a.jpg"].license_link.ends_with("/by/4.0/"));
    }

    #[test]
    fn a_licence_that_is_not_known_to_allow_edits_is_refused_with_its_line() {
        let text = format!("{HEADER}\na.jpg\tA cat\tAnn\tCC-BY-ND-4.0\thttps://x\t\n");
        let problem = parse_credits(&text).unwrap_err();
        assert!(
            problem.contains("line 2") && problem.contains("CC-BY-ND-4.0"),
            "{problem}"
        );
    }

    #[test]
    fn an_attribution_licence_without_an_author_is_refused() {
        let text = format!("{HEADER}\na.jpg\tA cat\t\tCC-BY-2.0\thttps://x\t\n");
        assert!(parse_credits(&text).unwrap_err().contains("author"));
    }

    #[test]
    fn a_missing_column_is_named() {
        assert!(
            parse_credits("file\ttitle")
                .unwrap_err()
                .contains("'author'")
        );
    }

    #[test]
    fn a_folder_without_credits_says_what_to_add() {
        let dir = tempfile::tempdir().unwrap();
        let problem = PhotoFolder::open(dir.path()).unwrap_err().to_string();
        assert!(problem.contains("CREDITS.tsv"), "{problem}");
    }
}
