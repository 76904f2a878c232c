//! The folder that sample data is written to, and the papers that go with the pictures: credits, subjects, README.
//!
//! It never touches a folder that it did not make: `provenance.toml` is how it knows its own.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::{GrayImage, RgbImage};
use serde::{Deserialize, Serialize};

use super::Report;
use super::error::SynthError;
use super::labels::SimulatedLabel;
use super::photos::PhotoFolder;
use super::raster::color::byte;

/// The folders that are emptied before they are filled.
const FOLDERS: [&str; 3] = ["photos", "edits", "masks"];
/// The files that are overwritten.
const FILES: &[&str] = &[
    "groups.jsonl",
    "truth.jsonl",
    "CREDITS.tsv",
    "SUBJECTS.tsv",
    "README.md",
];
const PROVENANCE: &str = "provenance.toml";
/// The longer side of the masks that go along.
pub(crate) const MASK_SIDE: u32 = 256;

/// One line of `groups.jsonl`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct GroupLine {
    pub(crate) id: String,
    pub(crate) source: String,
    pub(crate) instruction: String,
    pub(crate) category: String,
    pub(crate) candidates: Vec<CandidateLine>,
}

/// One candidate within it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CandidateLine {
    pub(crate) id: String,
    pub(crate) image: String,
    pub(crate) editor: String,
    pub(crate) seed: u64,
    pub(crate) fault: String,
    pub(crate) labels: Vec<SimulatedLabel>,
}

/// How the folder was made; enough to make it again.
#[derive(Debug, Serialize)]
pub(crate) struct Provenance {
    pub(crate) generator: String,
    pub(crate) seed: u64,
    pub(crate) groups: usize,
    pub(crate) long_side: u32,
    /// BLAKE3 of the recipe.
    pub(crate) recipe: String,
}

/// The output folder, made or recognised and emptied.
#[derive(Debug)]
pub(crate) struct Output {
    root: PathBuf,
}

impl Output {
    /// Makes the folder, or empties the generated part of one made before; refuses one in which somebody else's files would
    /// be lost.
    pub(crate) fn prepare(root: &Path) -> Result<Self, SynthError> {
        let ours = root.join(PROVENANCE).is_file();
        let taken = FOLDERS
            .iter()
            .chain(FILES)
            .find(|name| root.join(name).exists());
        if let (false, Some(name)) = (ours, taken) {
            let problem = format!(
                "it has a '{name}' that this generator did not make (there is no provenance.toml); choose another folder"
            );
            return Err(SynthError::output(root, &problem));
        }
        // What a run that was stopped left must not look finished.
        for file in FILES.iter().map(|name| root.join(name)) {
            match fs::remove_file(&file) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(SynthError::output(&file, &e));
                }
                _ => {}
            }
        }
        for folder in FOLDERS {
            let folder = root.join(folder);
            if folder.exists() {
                fs::remove_dir_all(&folder).map_err(|e| SynthError::output(&folder, &e))?;
            }
            fs::create_dir_all(&folder).map_err(|e| SynthError::output(&folder, &e))?;
        }
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// Writes a file; gives its size.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<u64, SynthError> {
        let path = self.root.join(name);
        fs::write(&path, bytes).map_err(|e| SynthError::output(&path, &e))?;
        Ok(bytes.len() as u64)
    }

    /// Where it is.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Makes a folder in it.
    pub(crate) fn make_folder(&self, name: &str) -> Result<(), SynthError> {
        let path = self.root.join(name);
        fs::create_dir_all(&path).map_err(|e| SynthError::output(&path, &e))
    }

    /// Writes one JSON object a line; the file has its name only once it is whole.
    pub(crate) fn write_lines<T: Serialize>(
        &self,
        name: &str,
        lines: &[T],
    ) -> Result<u64, SynthError> {
        let mut text = String::new();
        for line in lines {
            let line =
                serde_json::to_string(line).map_err(|e| SynthError::output(&self.root, &e))?;
            text.push_str(&line);
            text.push('\n');
        }
        let path = self.root.join(name);
        let failed = |e: &dyn std::fmt::Display| SynthError::output(&path, &e.to_string());
        let mut file = tempfile::NamedTempFile::new_in(&self.root).map_err(|e| failed(&e))?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.as_file().sync_all())
            .map_err(|e| failed(&e))?;
        readable(&file).map_err(|e| failed(&e))?;
        file.persist(&path).map_err(|e| failed(&e))?;
        Ok(text.len() as u64)
    }

    pub(crate) fn write_provenance(&self, provenance: &impl Serialize) -> Result<u64, SynthError> {
        let text = toml::to_string(provenance).map_err(|e| SynthError::output(&self.root, &e))?;
        self.write(PROVENANCE, text.as_bytes())
    }
}

/// A temporary file is for its owner alone; a data file is not.
#[cfg(unix)]
fn readable(file: &tempfile::NamedTempFile) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.as_file()
        .set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "the same signature everywhere")]
fn readable(_: &tempfile::NamedTempFile) -> std::io::Result<()> {
    Ok(())
}

/// A JPEG of the given quality, 1 to 100. The encoder keeps every pixel's color; halving the colors' resolution first, as
/// other encoders do, saves a fifth of the bytes.
pub(crate) fn jpeg(image: &RgbImage, quality: u8) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .encode_image(&with_half_colors(image))
        .map_err(|e| e.to_string())?;
    Ok(bytes)
}

/// Each 2 × 2 block with its mean color difference from grey (the JPEG way: red and blue against luma), own luma kept.
fn with_half_colors(image: &RgbImage) -> RgbImage {
    let luma = |p: [f32; 3]| 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
    let codes = |x: u32, y: u32| image.get_pixel(x, y).0.map(f32::from);
    let mut out = image.clone();
    for (x, y, pixel) in out.enumerate_pixels_mut() {
        let (left, top) = (x & !1, y & !1);
        let (mut red, mut blue, mut n) = (0.0, 0.0, 0.0);
        for by in top..(top + 2).min(image.height()) {
            for bx in left..(left + 2).min(image.width()) {
                let code = codes(bx, by);
                red += code[0] - luma(code);
                blue += code[2] - luma(code);
                n += 1.0;
            }
        }
        let own = luma(codes(x, y));
        let (red, blue) = (red / n, blue / n);
        let green = -(0.299 * red + 0.114 * blue) / 0.587;
        pixel.0 = [own + red, own + green, own + blue].map(|v| byte(v / 255.0));
    }
    out
}

/// A small PNG of a mask: sixteen greys are enough for a soft edge.
pub(crate) fn mask_png(mask: &GrayImage) -> Result<Vec<u8>, String> {
    let mut mask = mask.clone();
    for pixel in mask.pixels_mut() {
        pixel.0 = pixel.0.map(|v| (v / 17 + u8::from(v % 17 > 8)) * 17);
    }
    let mut bytes = std::io::Cursor::new(Vec::new());
    mask.write_to(&mut bytes, image::ImageFormat::Png)
        .map_err(|e| e.to_string())?;
    Ok(bytes.into_inner())
}

/// `CREDITS.tsv` of the photos used, with what was done to them here.
pub(crate) fn credits(photos: &PhotoFolder, used: &[String], long_side: u32) -> String {
    let mut text = "file\ttitle\tauthor\tlicense\tlicense link\tsource url\tchanges\n".to_owned();
    for file in used {
        let Some(credit) = photos.credits.get(file) else {
            continue;
        };
        let before = match credit.changes.as_str() {
            "" => String::new(),
            changes => format!("{changes}; "),
        };
        let _ = writeln!(
            text,
            "{file}\t{}\t{}\t{}\t{}\t{}\t{before}resized to at most {long_side} px, re-encoded; edits of it (edits/*.jpg) made by erw's generator",
            credit.title, credit.author, credit.license, credit.license_link, credit.source,
        );
    }
    text
}

/// `SUBJECTS.tsv` of the photos used.
pub(crate) fn subjects(photos: &PhotoFolder, used: &[String]) -> String {
    let mut text = "file\tsubject\tbackground\tmask\n".to_owned();
    for (file, subject) in used
        .iter()
        .filter_map(|file| Some((file, photos.subjects.get(file)?)))
    {
        let mask = if subject.usable { "good" } else { "poor" };
        let _ = writeln!(
            text,
            "{file}\t{}\t{}\t{mask}",
            subject.name, subject.background
        );
    }
    text
}

/// The folder's README.
pub(crate) fn readme(report: &Report, seed: u64) -> String {
    format!(
        "# Sample data: known edits of real photos, with simulated labels

{groups} groups in `groups.jsonl`, one JSON object a line: a photo, an instruction, and 4 to 7 candidate edits
({candidates} in all) whose faults are known, because they were put in: the right edit, half of it, another edit, nothing
at all, the right edit with the rest changed too, heavy compression, blur, noise, a color cast, and so on (`fault`).

**The labels are simulated.** Three made-up annotators score each candidate on instruction following (`if`) and visual
quality (`vq`), 1 to 4, from the fault's ideal score with a personal bias and noise; each label says `\"simulated\": true`.
Krippendorff's ordinal alpha: {alpha_if} (if), {alpha_vq} (vq). No person judged these pictures; use the data to learn the
program and to test, not to claim anything about people.

* `photos/`: the sources. `edits/`: the candidates. `masks/`: where the subject is (white), for photos with a usable mask.
* `CREDITS.tsv`: author, licence and source of every photo, and what was changed. The photos are CC0, public domain or
  CC-BY (2.0, 4.0); the edits are derived from them under the same terms. `SUBJECTS.tsv`: what each mask covers.
* `provenance.toml`: how this folder was made.

Made from the original photos by `erw synth OUT --photos DIR --recipe sample --seed {seed} --groups {groups}`; the same photos,
recipe and seed give the same bytes. This folder will do as `--photos` for more of the kind: `erw synth OUT --photos sample-data
--recipe sample --groups 500` goes through the recipe again and again, each time with other faults.
",
        groups = report.groups,
        candidates = report.candidates,
        alpha_if = shown(report.alpha_following),
        alpha_vq = shown(report.alpha_quality),
    )
}

fn shown(alpha: Option<f64>) -> String {
    alpha.map_or_else(|| "undefined".to_owned(), |a| format!("{a:.2}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_somebody_elses_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("photos")).unwrap();
        fs::write(dir.path().join("photos/holiday.jpg"), b"dear").unwrap();
        let problem = Output::prepare(dir.path()).unwrap_err().to_string();
        assert!(problem.contains("provenance.toml"), "{problem}");
        assert!(dir.path().join("photos/holiday.jpg").is_file());
    }

    #[test]
    fn an_earlier_output_is_emptied_but_for_what_it_did_not_make() {
        let dir = tempfile::tempdir().unwrap();
        Output::prepare(dir.path()).unwrap();
        fs::write(dir.path().join(PROVENANCE), b"seed = 1").unwrap();
        fs::write(dir.path().join("edits/stale.jpg"), b"old").unwrap();
        fs::create_dir(dir.path().join("model")).unwrap();
        Output::prepare(dir.path()).unwrap();
        assert!(!dir.path().join("edits/stale.jpg").exists());
        assert!(dir.path().join("model").is_dir());
    }

    #[test]
    fn a_mask_png_keeps_its_extremes() {
        let mask = GrayImage::from_fn(4, 1, |x, _| image::Luma([[0, 8, 250, 255][x as usize]]));
        let back = image::load_from_memory(&mask_png(&mask).unwrap())
            .unwrap()
            .to_luma8();
        assert_eq!(back.as_raw(), &[0, 0, 255, 255]);
    }
}
