//! The allocator of the whole program, tests and benchmarks included.
//!
//! Planes of pixels and tensors are large, alike, and short-lived. The system's allocator hands each of them back at once and asks
//! for it anew: fresh pages, filled with zeros, one fault each.

/// Here and not in `main.rs`, so that tests and benchmarks run on what the program runs on.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of `mimalloc.h`, the same in versions 2 and 3: milliseconds until freed memory goes back to the system.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// How long freed memory is kept, in milliseconds: longer than from one pass of a model, or one picture, to the next.
const KEPT: std::ffi::c_long = 10_000;

/// Has freed memory kept for some seconds. By itself it is given back after one (in version 2: ten milliseconds), which is less than
/// a large model takes for a pass. To be called once, as the program starts.
#[allow(
    unsafe_code,
    reason = "the allocator's options have no safe interface; setting one is a store of a number"
)]
pub(crate) fn keep_freed() {
    // SAFETY: the option exists (see the test), and any value is valid for it.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, KEPT) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(unsafe_code, reason = "as above")]
    fn the_option_that_is_set_is_the_delay_whose_default_is_known() {
        let delay = || unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        let before = delay();
        assert!([10, 1000].contains(&before), "{before}");
        keep_freed();
        assert_eq!(delay(), KEPT);
    }
}
