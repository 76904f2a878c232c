//! Numbers in JSON that come back to the last bit: as the shortest text that does, since a JSON reader may round.

use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serializer};

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands a reference to it"
)]
pub(super) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format!("{number:?}"))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse()
        .map_err(|_| D::Error::custom(format!("'{text}' is no number")))
}

#[cfg(test)]
mod tests {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Row {
        #[serde(with = "super")]
        x: f64,
    }

    #[test]
    fn every_number_comes_back_as_it_was() {
        for x in [
            0.1 + 0.2,
            -0.0,
            f64::MIN_POSITIVE,
            f64::INFINITY,
            f64::NAN,
            1e300 / 3.0,
        ] {
            let json = serde_json::to_string(&Row { x }).unwrap();
            let back: Row = serde_json::from_str(&json).unwrap();
            assert_eq!(back.x.to_bits(), x.to_bits());
        }
    }
}
