//! What an NVIDIA GPU is told before anything is computed on it.

use candle_core::CudaDevice;
use candle_core::cuda_backend::cudarc::driver::sys;

/// Keeps freed memory with this process, and leaves out the events that order several streams: by itself the driver's pool hands
/// memory back whenever the device is waited for, and two events are made for every tensor.
///
/// Neither changes a number. What fails is left as it was: the device is slower then, and no less right.
#[allow(
    unsafe_code,
    reason = "neither setting has a safe interface in candle or cudarc; see at each"
)]
pub(super) fn settle(device: &CudaDevice) {
    // SAFETY: events order work of several streams. Everything here runs on the one stream that candle opens a device with, in
    // order.
    unsafe { device.disable_event_tracking() };
    let stream = device.cuda_stream();
    let mut pool = std::ptr::null_mut();
    let mut threshold = u64::MAX;
    // SAFETY: both are out and in parameters of the types that the driver's manual gives for them, and live through the call.
    unsafe {
        let found = sys::cuDeviceGetDefaultMemPool(&raw mut pool, stream.context().cu_device());
        if found == sys::CUresult::CUDA_SUCCESS {
            let attribute = sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
            sys::cuMemPoolSetAttribute(pool, attribute, (&raw mut threshold).cast());
        }
    }
}
