//! Normal deviates as NumPy's `default_rng(seed).normal()` draws them, for the one published cell that is a mean over a random
//! scorer: SeedSequence, PCG64 (XSL-RR; O'Neill 2014) and the ziggurat of Marsaglia and Tsang (2000) in 256 layers.

/// NumPy's default generator.
pub(super) struct Normals {
    state: u128,
    increment: u128,
    tables: Tables,
}

const MULTIPLIER: u128 = 0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645;

/// Where the tail begins, and the area of a layer.
const R: f64 = 3.654_152_885_361_009;
const AREA: f64 = 4.928_673_233_974_655e-3;

/// The layers: below which draw a point is inside, a layer's width by draw, and the density at its edge.
struct Tables {
    inside: [u64; 256],
    width: [f64; 256],
    density: [f64; 256],
}

impl Tables {
    fn new() -> Self {
        const SCALE: f64 = (1_u64 << 52) as f64;
        let density = |x: f64| (-0.5 * x * x).exp();
        let mut tables = Self {
            inside: [0; 256],
            width: [0.0; 256],
            density: [0.0; 256],
        };
        let base = AREA / density(R);
        tables.inside[0] = (R / base * SCALE) as u64;
        tables.width[0] = base / SCALE;
        tables.width[255] = R / SCALE;
        tables.density[0] = 1.0;
        tables.density[255] = density(R);
        let mut outer = R;
        for i in (1..255).rev() {
            let inner = (-2.0 * (AREA / outer + density(outer)).ln()).sqrt();
            tables.inside[i + 1] = (inner / outer * SCALE) as u64;
            tables.density[i] = density(inner);
            tables.width[i] = inner / SCALE;
            outer = inner;
        }
        tables
    }
}

impl Normals {
    /// The generator of that seed.
    pub(super) fn new(seed: u32) -> Self {
        let words = seed_sequence(seed);
        let long = |high: u64, low: u64| u128::from(high) << 64 | u128::from(low);
        let mut normals = Self {
            state: 0,
            increment: long(words[2], words[3]) << 1 | 1,
            tables: Tables::new(),
        };
        normals.step();
        normals.state = normals.state.wrapping_add(long(words[0], words[1]));
        normals.step();
        normals
    }

    fn step(&mut self) {
        self.state = self
            .state
            .wrapping_mul(MULTIPLIER)
            .wrapping_add(self.increment);
    }

    fn word(&mut self) -> u64 {
        self.step();
        let folded = (self.state >> 64) as u64 ^ self.state as u64;
        folded.rotate_right((self.state >> 122) as u32)
    }

    /// Uniform in 0..1.
    fn uniform(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The next deviate of mean 0 and variance 1.
    pub(super) fn next(&mut self) -> f64 {
        loop {
            let word = self.word();
            let layer = (word & 0xff) as usize;
            let negative = word >> 8 & 1 == 1;
            let draw = word >> 9 & 0x000f_ffff_ffff_ffff;
            let x = draw as f64 * self.tables.width[layer];
            let x = if negative { -x } else { x };
            if draw < self.tables.inside[layer] {
                return x;
            }
            if layer == 0 {
                return self.tail(draw);
            }
            let (low, high) = (self.tables.density[layer], self.tables.density[layer - 1]);
            if (high - low) * self.uniform() + low < (-0.5 * x * x).exp() {
                return x;
            }
        }
    }

    /// Beyond the last layer.
    fn tail(&mut self, draw: u64) -> f64 {
        loop {
            let x = -(-self.uniform()).ln_1p() / R;
            let y = -(-self.uniform()).ln_1p();
            if y + y > x * x {
                return if draw >> 8 & 1 == 1 { -(R + x) } else { R + x };
            }
        }
    }
}

/// NumPy's `SeedSequence(seed).generate_state(4, uint64)`.
fn seed_sequence(seed: u32) -> [u64; 4] {
    const MIX: [u32; 2] = [0xca01_f9dd, 0x4973_f715];
    let mut constant = 0x43b0_d7e5_u32;
    let mut hash = |value: u32| {
        let mut value = value ^ constant;
        constant = constant.wrapping_mul(0x931e_8875);
        value = value.wrapping_mul(constant);
        value ^ value >> 16
    };
    let mut pool = [0; 4];
    for (i, slot) in pool.iter_mut().enumerate() {
        *slot = hash(if i == 0 { seed } else { 0 });
    }
    for from in 0..4 {
        for to in 0..4 {
            if from != to {
                let hashed = hash(pool[from]);
                let mixed = MIX[0]
                    .wrapping_mul(pool[to])
                    .wrapping_sub(MIX[1].wrapping_mul(hashed));
                pool[to] = mixed ^ mixed >> 16;
            }
        }
    }
    let mut constant = 0x8b51_f9dd_u32;
    let mut words = [0_u32; 8];
    for (i, word) in words.iter_mut().enumerate() {
        let mut value = pool[i % 4] ^ constant;
        constant = constant.wrapping_mul(0x58f3_8ded);
        value = value.wrapping_mul(constant);
        *word = value ^ value >> 16;
    }
    [0, 1, 2, 3].map(|i| u64::from(words[2 * i]) | u64::from(words[2 * i + 1]) << 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_deviates_of_seed_0_are_numpys() {
        // numpy.random.default_rng(0).normal(size=5)
        let mut normals = Normals::new(0);
        let numpy = [
            0.125_730_22,
            -0.132_104_86,
            0.640_422_65,
            0.104_900_12,
            -0.535_669_37,
        ];
        for expected in numpy {
            let deviate = normals.next();
            assert!((deviate - expected).abs() < 1e-8, "{deviate} {expected}");
        }
    }

    #[test]
    fn a_million_deviates_have_the_moments_and_tails_of_the_normal_distribution() {
        let mut normals = Normals::new(3);
        let (mut sum, mut squares, mut far) = (0.0, 0.0, 0);
        for _ in 0..1_000_000 {
            let x = normals.next();
            sum += x;
            squares += x * x;
            far += u32::from(x.abs() > R);
        }
        assert!((sum / 1e6).abs() < 4e-3, "{sum}");
        assert!((squares / 1e6 - 1.0).abs() < 6e-3, "{squares}");
        // 2·(1 - Φ(3.654)) = 2.58e-4.
        assert!((200..320).contains(&far), "{far}");
    }
}
