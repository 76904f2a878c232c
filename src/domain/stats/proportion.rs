//! How sure a share is that was counted.

/// The standard normal's 97.5 % point.
const Z: f64 = 1.959_963_984_540_054;

/// The 95 % interval of a share of which `hits` of `n` were seen (Wilson, "Probable Inference, the Law of Succession, and Statistical
/// Inference", 1927): it stays within 0 and 1, and says something after one look too. `None` of none.
pub fn wilson(hits: usize, n: usize) -> Option<[f64; 2]> {
    if n == 0 {
        return None;
    }
    let z = Z;
    let (hits, n) = (hits.min(n) as f64, n as f64);
    let share = hits / n;
    let middle = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    Some([(middle - half).max(0.0), (middle + half).min(1.0)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_textbook() {
        // Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I, method 3.
        let published = [
            ((81, 263), [0.2553, 0.3662]),
            ((15, 148), [0.0624, 0.1605]),
            ((0, 20), [0.0, 0.1611]),
            ((1, 29), [0.0061, 0.1718]),
        ];
        for ((hits, n), expected) in published {
            let found = wilson(hits, n).unwrap();
            for (a, b) in found.iter().zip(expected) {
                assert!((a - b).abs() < 5e-5, "{hits} of {n}: {found:?}");
            }
        }
        assert_eq!(wilson(0, 0), None);
    }
}
