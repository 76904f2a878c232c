//! Where to compute and in which number format.
//!
//! CUDA and Metal are compiled in by features of the same names; asking for one that is not says how to get it. Left to
//! itself, the program takes the first GPU that works and else the CPU.

use std::fmt;
use std::str::FromStr;

use candle_core::{DType, Device};

use super::error::ModelError;

/// Where to compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// The first GPU that works, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// An NVIDIA GPU by number (needs the `cuda` feature).
    Cuda(usize),
    /// An Apple GPU by number (needs the `metal` feature).
    Metal(usize),
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, number) = text.split_once(':').unwrap_or((text, "0"));
        let parsed = number.parse::<usize>().ok();
        match (name, parsed) {
            ("auto", _) if text == name => Ok(Self::Auto),
            ("cpu", _) if text == name => Ok(Self::Cpu),
            ("cuda", Some(number)) => Ok(Self::Cuda(number)),
            ("metal", Some(number)) => Ok(Self::Metal(number)),
            _ => Err(format!(
                "'{text}' is no device; use 'auto', 'cpu', 'cuda', 'cuda:1', … or 'metal'"
            )),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
            Self::Metal(number) => write!(f, "metal:{number}"),
        }
    }
}

/// The number format of weights and activations; heads are always f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit.
    F32,
    /// 16-bit IEEE.
    F16,
    /// bfloat16.
    Bf16,
}

impl Precision {
    /// The name in flags and reports.
    pub const fn key(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
        }
    }

    pub(super) const fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::F16 => DType::F16,
            Self::Bf16 => DType::BF16,
        }
    }

    /// What a device is best at: bf16 on GPUs, as the published model runs; f32 on CPUs, few of which know bf16.
    pub(super) fn of(device: &Device) -> Self {
        if device.is_cpu() {
            Self::F32
        } else {
            Self::Bf16
        }
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::F32, Self::F16, Self::Bf16]
            .into_iter()
            .find(|precision| precision.key() == text)
            .ok_or_else(|| format!("'{text}' is no precision; use 'f32', 'f16' or 'bf16'"))
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// Opens the device that was asked for.
pub(super) fn open(choice: DeviceChoice) -> Result<Device, ModelError> {
    match choice {
        DeviceChoice::Auto => Ok(open(DeviceChoice::Cuda(0))
            .or_else(|_| open(DeviceChoice::Metal(0)))
            .unwrap_or(Device::Cpu)),
        DeviceChoice::Cpu => Ok(Device::Cpu),
        DeviceChoice::Cuda(number) => gpu(
            choice,
            "cuda",
            candle_core::utils::cuda_is_available(),
            || open_cuda(number),
        ),
        DeviceChoice::Metal(number) => gpu(
            choice,
            "metal",
            candle_core::utils::metal_is_available(),
            || Device::new_metal(number),
        ),
    }
}

fn open_cuda(number: usize) -> candle_core::Result<Device> {
    let device = Device::new_cuda(number)?;
    #[cfg(feature = "cuda")]
    if let Device::Cuda(device) = &device {
        super::cuda::settle(device);
    }
    Ok(device)
}

/// Whether `choice` comes to the CPU on this machine.
pub fn computes_on_cpu(choice: DeviceChoice) -> bool {
    open(choice).is_ok_and(|device| device.is_cpu())
}

fn gpu(
    choice: DeviceChoice,
    feature: &str,
    compiled_in: bool,
    open: impl FnOnce() -> candle_core::Result<Device>,
) -> Result<Device, ModelError> {
    if !compiled_in {
        return Err(ModelError::Device(format!(
            "this erw was built without '{choice}'; install it with 'cargo install --features {feature}', or use '--device cpu'"
        )));
    }
    open().map_err(|error| {
        ModelError::Device(format!(
            "cannot use device '{choice}': {}; use '--device cpu'",
            in_words(&error.to_string())
        ))
    })
}

/// What is wrong with a device, without the trace of calls that may follow.
fn in_words(error: &str) -> &str {
    if error.contains("CUDA_ERROR_NO_DEVICE") {
        return "there is no CUDA device, or no driver for it (CUDA_ERROR_NO_DEVICE)";
    }
    error.lines().next().unwrap_or(error)
}

/// What a choice comes to on this machine, in words; opens the device.
pub fn device_in_words(choice: DeviceChoice) -> Result<String, ModelError> {
    open(choice).map(|device| describe(&device))
}

/// A device in words, "cpu, 2 threads" or "cuda:0".
pub(super) fn describe(device: &Device) -> String {
    match device {
        Device::Cpu => describe_cpu(candle_core::utils::get_num_threads()),
        Device::Cuda(_) => numbered("cuda", device),
        Device::Metal(_) => numbered("metal", device),
    }
}

/// The CPU and its threads in words.
pub(super) fn describe_cpu(threads: usize) -> String {
    match threads {
        1 => "cpu, 1 thread".to_owned(),
        threads => format!("cpu, {threads} threads"),
    }
}

fn numbered(kind: &str, device: &Device) -> String {
    match device.location() {
        candle_core::DeviceLocation::Cuda { gpu_id }
        | candle_core::DeviceLocation::Metal { gpu_id } => format!("{kind}:{gpu_id}"),
        candle_core::DeviceLocation::Cpu => kind.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_a_gpu_is_told_so_and_other_errors_without_their_trace() {
        let none = "DriverError(CUDA_ERROR_NO_DEVICE, \"…\")\n   0: candle_core::…";
        assert!(in_words(none).starts_with("there is no CUDA device"));
        assert_eq!(in_words("out of memory\n   0: main"), "out of memory");
    }

    #[test]
    fn devices_and_precisions_read_back_as_they_print() {
        for choice in [
            DeviceChoice::Auto,
            DeviceChoice::Cpu,
            DeviceChoice::Cuda(3),
            DeviceChoice::Metal(0),
        ] {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        for precision in [Precision::F32, Precision::F16, Precision::Bf16] {
            assert_eq!(precision.to_string().parse(), Ok(precision));
        }
        assert_eq!("cuda".parse(), Ok(DeviceChoice::Cuda(0)));
    }

    #[test]
    fn what_is_no_device_is_told_what_is() {
        for text in ["gpu", "cpu:1", "cuda:x", ""] {
            let error = text.parse::<DeviceChoice>().unwrap_err();
            assert!(error.contains("'cuda:1'"), "{error}");
        }
        assert!("fp16".parse::<Precision>().unwrap_err().contains("'bf16'"));
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_device_that_is_not_compiled_in_says_how_to_get_it() {
        let error = open(DeviceChoice::Cuda(1)).unwrap_err().to_string();
        assert!(
            error.contains("'cuda:1'") && error.contains("--features cuda"),
            "{error}"
        );
        assert!(open(DeviceChoice::Auto).is_ok());
    }
}
