//! Many tests at once: what each p value is worth when the smallest of many is looked at.

/// Holm's adjusted p values (Holm 1979): calling those at 0.05 or below significant calls any true null so with a chance of 5 % at
/// the most, however the tests depend on each other. In the order given, each 1 at the most; NaN counts as 1.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut adjusted = vec![1.0; p.len()];
    let mut highest = 0.0_f64;
    for (place, index) in ascending(p).into_iter().enumerate() {
        let left = (p.len() - place) as f64;
        highest = highest.max(clean(p[index]) * left).min(1.0);
        adjusted[index] = highest;
    }
    adjusted
}

/// Benjamini and Hochberg's q values (1995): calling those at 0.05 or below significant has 5 % of false ones among them on
/// average, for tests that are independent or positively dependent. In the order given; NaN counts as 1.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut adjusted = vec![1.0; p.len()];
    let mut lowest = 1.0_f64;
    for (place, index) in ascending(p).into_iter().enumerate().rev() {
        let times = p.len() as f64 / (place + 1) as f64;
        lowest = lowest.min(clean(p[index]) * times);
        adjusted[index] = lowest;
    }
    adjusted
}

fn clean(p: f64) -> f64 {
    if p.is_nan() { 1.0 } else { p.clamp(0.0, 1.0) }
}

fn ascending(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| clean(p[a]).total_cmp(&clean(p[b])));
    order
}

/// The chance that Student's t with `degrees` of freedom lies at least as far from 0 as `t`; NaN for no degrees.
pub fn student_two_sided(t: f64, degrees: f64) -> f64 {
    if !t.is_finite() {
        return if t.is_nan() { f64::NAN } else { 0.0 };
    }
    incomplete_beta(degrees / (degrees + t * t), degrees / 2.0, 0.5)
}

/// How far from 0 Student's t with `degrees` of freedom lies in 5 % of cases.
pub fn student_95(degrees: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1e4);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if student_two_sided(middle, degrees) > 0.05 {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// The regularised incomplete beta function, by its continued fraction (Abramowitz and Stegun 26.5.8), evaluated as Lentz does.
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if !(a > 0.0 && b > 0.0 && (0.0..=1.0).contains(&x)) {
        return f64::NAN;
    }
    if x == 0.0 || x == 1.0 {
        return x;
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(1.0 - x, b, a);
    }
    let front =
        libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * x.ln() + b * (1.0 - x).ln();
    let kept = |v: f64| if v.abs() < 1e-300 { 1e-300 } else { v };
    let (mut c, mut d) = (1.0, 1.0 / kept(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for m in 1..500 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut step = 1.0;
        for term in [even, odd] {
            d = 1.0 / kept(1.0 + term * d);
            c = kept(1.0 + term / c);
            step = c * d;
            fraction *= step;
        }
        if (step - 1.0).abs() < 1e-15 {
            break;
        }
    }
    front.exp() * fraction / a
}

#[cfg(test)]
mod tests {
    use super::super::draws;
    use super::*;

    fn close(a: &[f64], b: &[f64]) -> bool {
        a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12)
    }

    #[test]
    fn both_corrections_equal_hand_computed_ones() {
        let p = [0.01, 0.04, 0.03, 0.005];
        assert!(close(&holm(&p), &[0.03, 0.06, 0.06, 0.02]));
        assert!(close(&benjamini_hochberg(&p), &[0.02, 0.04, 0.04, 0.02]));
        assert_eq!(holm(&[f64::NAN, 0.6]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty() && benjamini_hochberg(&[]).is_empty());
    }

    #[test]
    fn corrections_keep_the_order_and_never_lower_a_p_value() {
        let mut draw = draws(9);
        for _ in 0..50 {
            let p: Vec<f64> = (0..20).map(|_| draw().powi(3)).collect();
            let (holm, q) = (holm(&p), benjamini_hochberg(&p));
            for i in 0..p.len() {
                assert!(p[i] <= q[i] && q[i] <= holm[i] + 1e-15 && holm[i] <= 1.0);
                for j in 0..p.len() {
                    assert!(p[i] > p[j] || (holm[i] <= holm[j] && q[i] <= q[j]));
                }
            }
        }
    }

    #[test]
    fn students_t_has_its_printed_quantiles() {
        for (degrees, t) in [
            (1.0, 12.7062),
            (5.0, 2.5706),
            (30.0, 2.0423),
            (1000.0, 1.9623),
        ] {
            assert!((student_95(degrees) - t).abs() < 1e-4, "{degrees}");
            assert!((student_two_sided(-t, degrees) - 0.05).abs() < 1e-5);
        }
        assert_eq!(student_two_sided(0.0, 7.0), 1.0);
        assert_eq!(student_two_sided(f64::INFINITY, 7.0), 0.0);
        // Cauchy: 1 - 2/π·atan(1).
        assert!((student_two_sided(1.0, 1.0) - 0.5).abs() < 1e-12);
        // By integrating the density.
        assert!((student_two_sided(6.0, 53.0) - 1.810_568e-7).abs() < 1e-12);
    }
}
