//! Arithmetic on many numbers at once, where the machine can.
//!
//! Programs are built for the oldest machine of a kind. What runs in here is compiled a second time for newer ones (AVX2 on x86-64),
//! and which of the two runs is found out on the spot. Both compute the same numbers: nothing is fused or reordered.

/// Runs `work`, which should be a plain loop over slices, compiled for what this machine has.
///
/// The closure has to be `#[inline(always)]`, and so has all that it calls: only what becomes a part of the function that is
/// compiled for a newer machine is compiled for it.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(super) fn wide<Out, Work: FnOnce() -> Out>(work: Work) -> Out {
    match pulp::x86::V3::try_new() {
        Some(simd) => simd.vectorize(work),
        None => work(),
    }
}

/// Runs `work`. Other machines have one set of instructions for many numbers, which every program may use.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub(super) fn wide<Out, Work: FnOnce() -> Out>(work: Work) -> Out {
    work()
}
