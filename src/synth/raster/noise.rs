//! Seeded randomness, and smooth noise for fog, clouds and paper.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::grid::Grid;

/// The generator's source of chance: the same stream on every machine.
pub(crate) type Chance = ChaCha8Rng;

/// A stream that depends on the seed and on the name of what it is for, and on nothing else.
pub(crate) fn chance(seed: u64, name: &str) -> Chance {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(name.as_bytes());
    Chance::from_seed(*hasher.finalize().as_bytes())
}

/// A number in `low..high`.
pub(crate) fn between(chance: &mut Chance, low: f32, high: f32) -> f32 {
    low + (high - low) * chance.random::<f32>()
}

/// A standard normal number (Box-Muller).
pub(crate) fn normal(chance: &mut Chance) -> f32 {
    let radius = (-2.0 * libm::logf(1.0 - chance.random::<f32>())).sqrt();
    radius * libm::cosf(std::f32::consts::TAU * chance.random::<f32>())
}

/// Fractal value noise, 0..=1, whose largest features are `size` pixels wide.
pub(crate) fn clouds(width: usize, height: usize, size: f32, chance: &mut Chance) -> Grid<f32> {
    let mut sum = Grid::filled(width, height, 0.0_f32);
    let (mut weight, mut size, mut total) = (1.0_f32, size.max(2.0), 0.0_f32);
    while size >= 2.0 && weight > 0.05 {
        let across = super::grid::count((width as f32 / size).ceil()) + 2;
        let down = super::grid::count((height as f32 / size).ceil()) + 2;
        let lattice = Grid::from_fn(across, down, |_, _| chance.random::<f32>());
        let eased = |v: f32| v.floor() + super::grid::smoothstep(0.0, 1.0, v - v.floor());
        sum = sum.map_at(|x, y, v| {
            let (u, w) = (x as f32 / size, y as f32 / size);
            v + weight * lattice.at(eased(u) + 0.5, eased(w) + 0.5)
        });
        total += weight;
        weight *= 0.5;
        size *= 0.5;
    }
    sum.map(|v| v / total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_depends_on_seed_and_name_only() {
        let draw = |seed, name| chance(seed, name).random::<u64>();
        assert_eq!(draw(1, "a"), draw(1, "a"));
        assert_ne!(draw(1, "a"), draw(2, "a"));
        assert_ne!(draw(1, "a"), draw(1, "b"));
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_variance_one() {
        let mut stream = chance(3, "normal");
        let draws: Vec<f32> = (0..20_000).map(|_| normal(&mut stream)).collect();
        let mean = draws.iter().sum::<f32>() / 20_000.0;
        let variance = draws.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 20_000.0;
        assert!(
            mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05,
            "{mean} {variance}"
        );
    }

    #[test]
    fn clouds_stay_in_range_and_vary() {
        let noise = clouds(64, 48, 32.0, &mut chance(1, "clouds"));
        let (low, high) = noise
            .cells
            .iter()
            .fold((1.0_f32, 0.0_f32), |(l, h), v| (l.min(*v), h.max(*v)));
        assert!(
            low >= 0.0 && high <= 1.0 && high - low > 0.3,
            "{low} {high}"
        );
    }
}
