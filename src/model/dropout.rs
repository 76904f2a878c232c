//! Dropout, drawn from a stream that belongs to the pass and not to the layer: the same stream drops the same numbers, so a
//! pass can be repeated, whether to resume a run exactly or to compute a layer a second time for its gradient.

use std::cell::RefCell;

use candle_core::{Result, Tensor};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

thread_local! {
    // Layers lie deep below whoever decides whether this is a training pass; the passes of different threads are their own.
    static STREAM: RefCell<Option<ChaCha8Rng>> = const { RefCell::new(None) };
}

/// Runs `pass` with dropout drawn from the stream `seed`; outside of it nothing is dropped.
pub(super) fn with_stream<T>(seed: u64, pass: impl FnOnce() -> T) -> T {
    /// Puts the outer stream back, also after a panic.
    struct Restore(Option<ChaCha8Rng>);
    impl Drop for Restore {
        fn drop(&mut self) {
            STREAM.with(|stream| *stream.borrow_mut() = self.0.take());
        }
    }
    let fresh = Some(ChaCha8Rng::seed_from_u64(seed));
    let _restore = Restore(STREAM.with(|stream| stream.replace(fresh)));
    pass()
}

/// `x` with each number set to 0 with probability `share`, the rest enlarged to keep the mean; `x` itself outside
/// [`with_stream`].
pub(super) fn drop(x: &Tensor, share: f32) -> Result<Tensor> {
    let mask = STREAM.with(|stream| {
        let mut stream = stream.borrow_mut();
        let stream = stream.as_mut().filter(|_| share > 0.0)?;
        let (limit, kept) = ((share * 65_536.0) as u32, 1.0 / (1.0 - share));
        let draw = |word: u32| if word < limit { 0.0 } else { kept };
        let count = x.elem_count();
        let mut mask = Vec::with_capacity(count + 1);
        while mask.len() < count {
            let word = stream.next_u32();
            mask.extend([draw(word >> 16), draw(word & 0xffff)]);
        }
        mask.truncate(count);
        Some(mask)
    });
    match mask {
        None => Ok(x.clone()),
        Some(mask) => x * Tensor::from_vec(mask, x.shape(), x.device())?.to_dtype(x.dtype())?,
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;

    #[test]
    fn a_stream_drops_its_share_keeps_the_mean_and_repeats_itself() {
        let x = Tensor::ones(20_001, DType::F32, &Device::Cpu).unwrap();
        let pass = || drop(&x, 0.25).unwrap().to_vec1::<f32>().unwrap();
        let (first, again) = (with_stream(7, pass), with_stream(7, pass));
        assert_eq!(first, again);
        assert_ne!(first, with_stream(8, pass));
        let kept = first.iter().filter(|x| **x > 0.0).count() as f32 / 20_001.0;
        assert!((kept - 0.75).abs() < 0.02, "{kept}");
        assert!(
            first
                .iter()
                .all(|x| *x == 0.0 || (*x - 4.0 / 3.0).abs() < 1e-6)
        );
        assert_eq!(pass(), vec![1.0; 20_001]);
    }
}
