//! Values with rules of their own, each refused where it stands.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// An address that a path can be put behind, and that holds no secret: it is printed in messages.
pub(super) fn endpoint<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let url = String::deserialize(deserializer)?;
    let rest = ["http://", "https://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme))
        .filter(|rest| !rest.is_empty() && !rest.starts_with('/'));
    let Some(rest) = rest else {
        return Err(D::Error::custom(
            "not an address: it begins with http:// or https://, as http://localhost:8000/v1 does",
        ));
    };
    if rest.contains('@') {
        return Err(D::Error::custom(
            "no user or password in the address: name the variable that holds the key in key_env",
        ));
    }
    if rest.contains(['?', '#']) || rest.contains(char::is_whitespace) {
        return Err(D::Error::custom(
            "an address without '?', '#' and blanks is wanted: a path is put behind it",
        ));
    }
    Ok(url)
}

/// A number that is not below zero.
pub(super) fn not_negative<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<f64>, D::Error> {
    let value = f64::deserialize(deserializer)?;
    if value.is_finite() && value >= 0.0 {
        return Ok(Some(value));
    }
    Err(D::Error::custom(format!("{value} is not a number from 0")))
}

/// A time in seconds, above zero and up to a day.
pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    const DAY: f64 = 86_400.0;
    let value = f64::deserialize(deserializer)?;
    if value > 0.0 && value <= DAY {
        return Ok(value);
    }
    Err(D::Error::custom(format!(
        "{value} is not a number of seconds above 0 and up to a day"
    )))
}
