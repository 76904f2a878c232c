//! Numbers that may not be finite, which JSON cannot say: in the file they are the strings "NaN", "inf" and "-inf". A loss
//! that blew up is the very line that must not be lost.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number on its way into or out of a file.
struct Number(f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            x if x.is_finite() => serializer.serialize_f64(x),
            x if x.is_nan() => serializer.serialize_str("NaN"),
            x if x > 0.0 => serializer.serialize_str("inf"),
            _ => serializer.serialize_str("-inf"),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or one of \"NaN\", \"inf\", \"-inf\"")
            }

            fn visit_f64<E: Error>(self, x: f64) -> Result<Number, E> {
                Ok(Number(x))
            }

            fn visit_i64<E: Error>(self, x: i64) -> Result<Number, E> {
                Ok(Number(x as f64))
            }

            fn visit_u64<E: Error>(self, x: u64) -> Result<Number, E> {
                Ok(Number(x as f64))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
                match text {
                    "NaN" => Ok(Number(f64::NAN)),
                    "inf" => Ok(Number(f64::INFINITY)),
                    "-inf" => Ok(Number(f64::NEG_INFINITY)),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// One number.
pub(super) mod single {
    use super::{Deserialize, Deserializer, Number, Serialize, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields so")]
    pub(in super::super) fn serialize<S: Serializer>(x: &f64, s: S) -> Result<S::Ok, S::Error> {
        Number(*x).serialize(s)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<f64, D::Error> {
        Number::deserialize(d).map(|n| n.0)
    }
}

/// Numbers by name.
pub(super) mod named {
    use super::{BTreeMap, Deserialize, Deserializer, Number, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        values: &BTreeMap<String, f64>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        s.collect_map(values.iter().map(|(name, x)| (name, Number(*x))))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<BTreeMap<String, f64>, D::Error> {
        let values = BTreeMap::<String, Number>::deserialize(d)?;
        Ok(values.into_iter().map(|(name, n)| (name, n.0)).collect())
    }
}

/// The rewards of candidates: mean and sigma of three Gaussians each.
pub(super) mod rewards {
    use super::{Deserialize, Deserializer, Number, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        rewards: &[[[f64; 2]; 3]],
        s: S,
    ) -> Result<S::Ok, S::Error> {
        s.collect_seq(rewards.iter().map(|r| r.map(|g| g.map(Number))))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Vec<[[f64; 2]; 3]>, D::Error> {
        let rewards = Vec::<[[Number; 2]; 3]>::deserialize(d)?;
        Ok(rewards
            .into_iter()
            .map(|r| r.map(|g| g.map(|n| n.0)))
            .collect())
    }
}
