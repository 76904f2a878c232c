//! Chance and names that depend on texts alone, so that they come out the same wherever and whenever they are drawn.

/// 128 bits in hex of some texts, whose borders count.
pub fn digest<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hex = hashed(texts).to_hex().to_string();
    hex.truncate(32);
    hex
}

/// A number drawn evenly from all of `u64`, the same for the same texts.
pub fn draw<'a>(texts: impl IntoIterator<Item = &'a str>) -> u64 {
    let bytes = *hashed(texts).as_bytes();
    bytes
        .iter()
        .take(8)
        .fold(0, |n, b| (n << 8) | u64::from(*b))
}

fn hashed<'a>(texts: impl IntoIterator<Item = &'a str>) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for text in texts {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_borders_of_texts_count() {
        assert_eq!(digest(["ab", "c"]), digest(["ab", "c"]));
        assert_eq!(digest(["ab", "c"]).len(), 32);
        assert_ne!(digest(["ab", "c"]), digest(["a", "bc"]));
        assert_ne!(draw(["ab", "c"]), draw(["a", "bc"]));
    }
}
