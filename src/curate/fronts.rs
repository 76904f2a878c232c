//! Fronts of two axes: those that nobody beats on both, then those that only these beat, and so on.

/// The front of each point (0 is the best); of two equal points both are in the same. n log n: gone through from the best on the
/// first axis down, a point belongs to the first front whose best on the second axis so far it beats.
pub(super) fn fronts(points: &[[f64; 2]]) -> Vec<u32> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_unstable_by(|a, b| {
        let (a, b) = (points[*a], points[*b]);
        b[0].total_cmp(&a[0]).then(b[1].total_cmp(&a[1]))
    });
    // The best on the second axis of each front so far: it falls from front to front.
    let mut best: Vec<f64> = Vec::new();
    let mut out = vec![0; points.len()];
    let mut before: Option<([f64; 2], usize)> = None;
    for at in order {
        let point = points[at];
        let front = match before {
            Some((same, front)) if same == point => front,
            _ => best.partition_point(|known| *known >= point[1]),
        };
        if front == best.len() {
            best.push(point[1]);
        } else {
            best[front] = best[front].max(point[1]);
        }
        before = Some((point, front));
        out[at] = u32::try_from(front).unwrap_or(u32::MAX);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By comparing all with all.
    fn peeled(points: &[[f64; 2]]) -> Vec<u32> {
        let beats = |a: [f64; 2], b: [f64; 2]| a[0] >= b[0] && a[1] >= b[1] && a != b;
        let mut out = vec![u32::MAX; points.len()];
        for front in 0.. {
            let left: Vec<usize> = (0..points.len()).filter(|i| out[*i] == u32::MAX).collect();
            if left.is_empty() {
                return out;
            }
            for i in &left {
                if !left.iter().any(|j| beats(points[*j], points[*i])) {
                    out[*i] = front;
                }
            }
        }
        out
    }

    #[test]
    fn fronts_are_those_of_peeling_off_what_nobody_beats() {
        let mut state = 3_u32;
        let mut draw = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 28)
        };
        for n in [0, 1, 2, 7, 60, 200] {
            let points: Vec<[f64; 2]> = (0..n).map(|_| [draw(), draw()]).collect();
            assert_eq!(fronts(&points), peeled(&points), "{n}");
        }
    }
}
