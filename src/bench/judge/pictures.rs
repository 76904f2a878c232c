//! The images of a case as `data:` URLs: as they are where endpoints take their format, else as PNG.

use std::path::Path;

use super::super::case::Case;
use crate::data::images;
use crate::domain::ImageRef;
use crate::remote::to_base64;

/// The largest image that is sent, in bytes; services take about that much.
const MOST: usize = 20 << 20;

/// A case's images, each as a `data:` URL or the reason why there is none.
pub(super) struct Pictures {
    pub(super) source: Result<String, String>,
    pub(super) edits: Vec<Result<String, String>>,
}

impl Pictures {
    /// Reads the images of a case, whose relative paths start at `root`; sides longer than `max_side` pixels are made shorter.
    pub(super) fn read(root: &Path, case: &Case, max_side: Option<u32>) -> Self {
        let load = |image: Option<&ImageRef>, which: &str| match image {
            Some(image) => data_url(root, image, max_side),
            None => Err(format!("the data names no image for {which}")),
        };
        Self {
            source: load(case.source.as_ref(), "the source"),
            edits: case
                .edits
                .iter()
                .enumerate()
                .map(|(i, edit)| load(edit.image.as_ref(), &format!("edit {}", i + 1)))
                .collect(),
        }
    }

    /// Why one of these edits, or the source, cannot be shown.
    pub(super) fn missing(&self, edits: &[usize]) -> Option<String> {
        let edits = edits.iter().map(|i| match self.edits.get(*i) {
            Some(picture) => picture.as_ref().err().cloned(),
            None => Some(format!("the case has no edit {}", i + 1)),
        });
        std::iter::once(self.source.as_ref().err().cloned())
            .chain(edits)
            .find_map(|why| why)
    }
}

fn data_url(root: &Path, image: &ImageRef, max_side: Option<u32>) -> Result<String, String> {
    let bytes = images::read(root, image).map_err(|why| why.to_string())?;
    let (bytes, mime) =
        images::for_services(bytes, max_side).map_err(|why| format!("'{}': {why}", image.0))?;
    if bytes.len() > MOST {
        return Err(format!(
            "the image '{}' has {} MiB, more than the {} that are sent; set max_side for this judge",
            image.0,
            bytes.len() >> 20,
            MOST >> 20
        ));
    }
    Ok(format!("data:{mime};base64,{}", to_base64(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::super::super::case::{Edit, Truth};
    use super::*;
    use crate::remote::from_base64;

    /// A BMP of so many black pixels.
    fn bmp(width: u32, height: u32) -> Vec<u8> {
        let row = (width * 3).div_ceil(4) * 4;
        let mut bytes = b"BM".to_vec();
        for word in [54 + row * height, 0, 54, 40, width, height] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend([1, 0, 24, 0]);
        bytes.resize(54 + (row * height) as usize, 0);
        bytes
    }

    fn bytes_of(url: &str) -> Vec<u8> {
        from_base64(url.split_once(',').unwrap().1).unwrap()
    }

    #[test]
    fn formats_that_endpoints_take_go_as_they_are_and_others_as_png() {
        let dir = tempfile::tempdir().unwrap();
        let url = |bytes: &[u8], max_side| {
            std::fs::write(dir.path().join("i"), bytes).unwrap();
            data_url(dir.path(), &ImageRef("i".into()), max_side)
        };
        for (bytes, mime) in [
            (&b"\x89PNG\r\n\x1a\nrest"[..], "image/png"),
            (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
            (b"RIFF\x01\x02\x03\x04WEBPrest", "image/webp"),
            (b"GIF89arest", "image/gif"),
        ] {
            let url = url(bytes, None).unwrap();
            assert!(url.starts_with(&format!("data:{mime};base64,")), "{url}");
            assert_eq!(bytes_of(&url), bytes);
        }
        let png = url(&bmp(40, 20), None).unwrap();
        assert!(png.starts_with("data:image/png;base64,"));
        assert_eq!(images::dimensions(&bytes_of(&png)), Ok((40, 20)));
        let small = bytes_of(&url(&bmp(40, 20), Some(16)).unwrap());
        assert_eq!(images::dimensions(&small), Ok((16, 8)));
        let same = url(&small, Some(16)).unwrap();
        assert_eq!(bytes_of(&same), small, "one that fits goes as it is");
        let error = url(b"hello", None).unwrap_err();
        assert!(error.starts_with("'i': this is not an image"), "{error}");
        let mut huge = b"GIF89a".to_vec();
        huge.resize(MOST + 1, 0);
        let error = url(&huge, None).unwrap_err();
        assert!(
            error.contains("has 20 MiB") && error.contains("set max_side"),
            "{error}"
        );
    }

    #[test]
    fn an_image_that_is_not_there_has_a_reason() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("s.gif"), b"GIF89a").unwrap();
        let edit = |name: Option<&str>| Edit {
            editor: None,
            image: name.map(|n| ImageRef(n.into())),
        };
        let mut case = Case {
            id: "c".into(),
            instruction: "x".into(),
            source: Some(ImageRef("s.gif".into())),
            edits: vec![edit(Some("s.gif")), edit(Some("gone.png")), edit(None)],
            category: None,
            truth: Truth::Unknown,
            recorded: std::collections::BTreeMap::new(),
            unseen: None,
            cluster: "c".into(),
        };
        let pictures = Pictures::read(dir.path(), &case, None);
        assert_eq!(pictures.missing(&[0]), None);
        let missing = |edits: &[usize]| pictures.missing(edits).unwrap();
        assert!(missing(&[0, 1]).contains("'gone.png' is missing"));
        assert_eq!(missing(&[2]), "the data names no image for edit 3");
        case.source = None;
        let pictures = Pictures::read(dir.path(), &case, None);
        assert!(pictures.missing(&[0]).unwrap().contains("the source"));
    }
}
