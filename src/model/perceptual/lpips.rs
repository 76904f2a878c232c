//! LPIPS, the learned perceptual image patch similarity (Zhang et al. 2018), version 0.1, as the `lpips` package computes it:
//! the features of an ImageNet classifier at five places, scaled to unit length over channels; their squared differences,
//! weighted by channel, averaged over places and summed over layers. 0 for equal images, larger for what looks less alike.

use std::fmt;
use std::path::Path;

use candle_core::{D, DType, Device, Tensor};
use candle_nn::{Conv2d, Conv2dConfig, Module as _};

use super::{finite_number, tensor};
use crate::domain::raster::Raster;
use crate::model::DeviceChoice;
use crate::model::device;
use crate::model::error::ModelError;
use crate::model::fingerprint::file_fingerprint;
use crate::model::names::Expected;
use crate::model::weights::Weights;

/// What is taken from an image in -1..1, and what it is then divided by, by channel (the package's scaling layer).
const SHIFT: [f32; 3] = [-0.030, -0.088, -0.188];
const SCALE: [f32; 3] = [0.458, 0.448, 0.450];
/// What the package adds to a length before it divides by it.
const EPSILON: f64 = 1e-10;

/// The classifier whose features are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trunk {
    /// AlexNet, the package's default.
    Alex,
    /// VGG-16.
    Vgg,
}

/// A convolution: its number in torchvision's list of layers, channels in and out.
type Layer = (usize, usize, usize);

impl Trunk {
    const ALL: [Self; 2] = [Self::Alex, Self::Vgg];

    /// What the package calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alex => "alex",
            Self::Vgg => "vgg",
        }
    }

    /// The least width and height of an image, in pixels: what leaves a feature to the last pooling.
    pub const fn least_side(self) -> usize {
        match self {
            Self::Alex => 31,
            Self::Vgg => 16,
        }
    }

    /// The most pixels of an image. Measured on a CPU, a pair of so many takes 2.0 GB with AlexNet and 3.2 GB with VGG-16.
    pub const fn most_pixels(self) -> usize {
        match self {
            Self::Alex => 1 << 24,
            Self::Vgg => 1 << 21,
        }
    }

    /// The convolutions between two places where features are taken; before each but the first group is a pooling.
    const fn groups(self) -> [&'static [Layer]; 5] {
        match self {
            Self::Alex => [
                &[(0, 3, 64)],
                &[(3, 64, 192)],
                &[(6, 192, 384)],
                &[(8, 384, 256)],
                &[(10, 256, 256)],
            ],
            Self::Vgg => [
                &[(0, 3, 64), (2, 64, 64)],
                &[(5, 64, 128), (7, 128, 128)],
                &[(10, 128, 256), (12, 256, 256), (14, 256, 256)],
                &[(17, 256, 512), (19, 512, 512), (21, 512, 512)],
                &[(24, 512, 512), (26, 512, 512), (28, 512, 512)],
            ],
        }
    }

    /// Whether features are pooled before the group of that number; width of the window, its step being 2.
    const fn pool(self, group: usize) -> Option<usize> {
        match (self, group) {
            (Self::Alex, 1 | 2) => Some(3),
            (Self::Vgg, 1..) => Some(2),
            _ => None,
        }
    }

    /// Side of a convolution's kernel, its step and its padding.
    const fn kernel(self, layer: usize) -> (usize, usize, usize) {
        match (self, layer) {
            (Self::Alex, 0) => (11, 4, 2),
            (Self::Alex, 3) => (5, 1, 2),
            _ => (3, 1, 1),
        }
    }

    fn weight_shape(self, (number, from, to): Layer) -> Vec<usize> {
        let (side, ..) = self.kernel(number);
        vec![to, from, side, side]
    }
}

impl fmt::Display for Trunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alex => "AlexNet",
            Self::Vgg => "VGG-16",
        })
    }
}

/// A group of convolutions, what comes before it, and the weights of its features.
struct Stage {
    pool: Option<usize>,
    convolutions: Vec<Conv2d>,
    /// (1, channels, 1, 1).
    weights: Tensor,
}

/// The network with its weights.
pub struct Lpips {
    trunk: Trunk,
    stages: Vec<Stage>,
    tables: [[f32; 256]; 3],
    device: Device,
    fingerprint: String,
}

/// An image's features, of unit length at every place, a tensor a layer; made by [`Lpips::features`].
pub struct Features {
    layers: Vec<Tensor>,
    width: usize,
    height: usize,
}

impl Lpips {
    /// Reads the weights from one file: safetensors (or `.pth`) of the state dict of the package's `LPIPS`, in any float format.
    /// Tensors may also have torchvision's names for the classifier (`features.0.weight`) and `lins.0.…` for `lin0.…`. Which
    /// classifier it is, the shape of its first convolution tells. An error names the file and the tensor.
    pub fn open(path: &Path, choice: DeviceChoice) -> Result<Self, ModelError> {
        let device = device::open(choice)?;
        let weights = Weights::of_files(vec![path.to_owned()])?;
        let trunk = trunk(path, &weights)?;
        let expected = expected(trunk, |name| weights.shape(name).is_some());
        let mut report = weights.check(&expected);
        // The scaling layer's constants, and second names of the same tensors.
        report.unexpected.clear();
        if !report.is_clean() {
            let reason = format!("these are not the weights of LPIPS with {trunk}:\n{report}");
            return Err(ModelError::config(path, reason));
        }
        let take = |name: &str| {
            let found = weights.tensor(name, DType::F32, &device)?;
            found.ok_or_else(|| ModelError::config(path, format!("it has no tensor '{name}'")))
        };
        let mut names = expected.iter().map(|tensor| tensor.name.as_str());
        let mut next = || take(names.next().unwrap_or_default());
        let mut stages = Vec::new();
        for (group, layers) in trunk.groups().into_iter().enumerate() {
            let mut convolutions = Vec::new();
            for (number, ..) in layers {
                let (_, stride, padding) = trunk.kernel(*number);
                let config = Conv2dConfig {
                    stride,
                    padding,
                    ..Conv2dConfig::default()
                };
                convolutions.push(Conv2d::new(next()?, Some(next()?), config));
            }
            stages.push(Stage {
                pool: trunk.pool(group),
                convolutions,
                weights: next()?,
            });
        }
        Ok(Self {
            trunk,
            stages,
            tables: tables(),
            device,
            fingerprint: file_fingerprint(path)?,
        })
    }

    /// The classifier that the weights are of.
    pub const fn trunk(&self) -> Trunk {
        self.trunk
    }

    /// Hex digest of the weights: equal ones give equal distances.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// An image's features. An error for one that is too small for the network or too large for memory.
    pub fn features(&self, image: Raster<'_>) -> Result<Features, ModelError> {
        let (width, height) = (image.width(), image.height());
        let (least, most) = (self.trunk.least_side(), self.trunk.most_pixels());
        if width < least || height < least {
            return Err(ModelError::Image(format!(
                "the image has {width} × {height} pixels, and LPIPS with {} needs at least {least} × {least}",
                self.trunk
            )));
        }
        if width * height > most {
            return Err(ModelError::Image(format!(
                "the image has {width} × {height} pixels; LPIPS with {} takes at most {most} for the sake of memory: make \
                 the images smaller",
                self.trunk
            )));
        }
        let mut x = tensor(image, &self.tables, &self.device)?;
        let mut layers = Vec::with_capacity(self.stages.len());
        for stage in &self.stages {
            if let Some(side) = stage.pool {
                x = x.max_pool2d_with_stride(side, 2)?;
            }
            for convolution in &stage.convolutions {
                x = convolution.forward(&x)?.relu()?;
            }
            let length = (x.sqr()?.sum_keepdim(1)?.sqrt()? + EPSILON)?;
            layers.push(x.broadcast_div(&length)?);
        }
        Ok(Features {
            layers,
            width,
            height,
        })
    }

    /// How far an image looks apart from the one of the features: 0 for the same image. Both must have one size.
    pub fn distance(&self, from: &Features, image: Raster<'_>) -> Result<f64, ModelError> {
        if (image.width(), image.height()) != (from.width, from.height) {
            return Err(ModelError::Image(format!(
                "LPIPS is of two images of one size, not of {} × {} and {} × {} pixels",
                from.width,
                from.height,
                image.width(),
                image.height()
            )));
        }
        let other = self.features(image)?;
        let mut sum = 0.0;
        for ((a, b), stage) in from.layers.iter().zip(&other.layers).zip(&self.stages) {
            let squares = (a - b)?.sqr()?;
            let weighted = squares.broadcast_mul(&stage.weights)?.sum(1)?;
            // The mean in f64: there may be a million places, which f32 would not add up well.
            let rows = weighted.mean(D::Minus1)?.flatten_all()?.to_vec1::<f32>()?;
            let total: f64 = rows.iter().map(|row| f64::from(*row)).sum();
            sum += total / rows.len() as f64;
        }
        finite_number(sum)
    }
}

/// The network's input for each byte of a channel.
fn tables() -> [[f32; 256]; 3] {
    std::array::from_fn(|channel| {
        std::array::from_fn(|byte| {
            let value = byte as f32 / 127.5 - 1.0;
            (value - SHIFT[channel]) / SCALE[channel]
        })
    })
}

/// The classifier that the first convolution is of.
fn trunk(path: &Path, weights: &Weights) -> Result<Trunk, ModelError> {
    let [name, torchvision] = names(1, 0, "weight");
    let first = [&name, &torchvision]
        .into_iter()
        .find_map(|name| Some((name, weights.shape(name)?)));
    let Some((name, shape)) = first else {
        let reason = format!(
            "it has no tensor '{name}' (nor '{torchvision}'); LPIPS reads the state dict of the lpips package's LPIPS, \
             classifier and lin0 to lin4 in one file"
        );
        return Err(ModelError::config(path, reason));
    };
    let of = |trunk: &Trunk| trunk.weight_shape(trunk.groups()[0][0]) == shape;
    Trunk::ALL.into_iter().find(of).ok_or_else(|| {
        let reason = format!(
            "tensor '{name}' has shape {shape:?}: LPIPS reads AlexNet ([64, 3, 11, 11]) and VGG-16 ([64, 3, 3, 3])"
        );
        ModelError::config(path, reason)
    })
}

/// The two names of a classifier's tensor: the package's and torchvision's.
fn names(group: usize, layer: usize, part: &str) -> [String; 2] {
    [
        format!("net.slice{group}.{layer}.{part}"),
        format!("features.{layer}.{part}"),
    ]
}

/// The tensors in the order of the network, each by that of its names which `is_there`.
fn expected(trunk: Trunk, is_there: impl Fn(&str) -> bool) -> Vec<Expected> {
    let mut out = Vec::new();
    let mut push = |[name, other]: [String; 2], shape: Vec<usize>| {
        let there = !is_there(&name) && is_there(&other);
        out.push(Expected {
            name: if there { other } else { name },
            shape,
        });
    };
    for (group, layers) in trunk.groups().into_iter().enumerate() {
        let mut channels = 0;
        for layer in layers {
            channels = layer.2;
            push(
                names(group + 1, layer.0, "weight"),
                trunk.weight_shape(*layer),
            );
            push(names(group + 1, layer.0, "bias"), vec![channels]);
        }
        let linear = ["lin", "lins."].map(|lin| format!("{lin}{group}.model.1.weight"));
        push(linear, vec![1, channels, 1, 1]);
    }
    out
}

/// The tensors by the package's names.
#[cfg(test)]
pub(super) fn expected_of(trunk: Trunk) -> Vec<Expected> {
    expected(trunk, |_| true)
}
