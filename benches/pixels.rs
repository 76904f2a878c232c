//! What it costs to decode and resize a picture for the model, held against Pillow, whose bytes both are equal to. Prints the least
//! and the median of some repetitions, in milliseconds of one thread. Pillow is asked by a Python that has it; without one only
//! our own times are printed.
//!
//! ```text
//! cargo bench --bench pixels
//! PYTHON=venv/bin/python cargo bench --bench pixels
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what fails here fails the measurement"
)]

use std::hint::black_box;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use erw::model::Pixels;

const REPEATED: usize = 21;

/// Photos of the sample data, and the sizes that the published pixel budget brings them to.
const PHOTOS: [(&str, usize, usize); 3] = [
    ("animals_crab", 504, 364),
    ("people_astronaut", 448, 448),
    ("street_eiffel_tower", 364, 532),
];

/// Times of decoding and of resizing a file, as Pillow does both: a line with two lists.
const SCRIPT: &str = "
import sys, time
from PIL import Image
path, width, height, times = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
decode, resize = [], []
for _ in range(times):
    start = time.perf_counter()
    image = Image.open(path).convert('RGB')
    image.load()
    decode.append(1000 * (time.perf_counter() - start))
    start = time.perf_counter()
    image.resize((width, height), Image.BICUBIC)
    resize.append(1000 * (time.perf_counter() - start))
print(' '.join(map(str, decode)))
print(' '.join(map(str, resize)))
";

fn main() {
    // `cargo test` builds benchmarks too and runs them with this flag: nothing is measured then.
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    for (name, width, height) in PHOTOS {
        let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/sample-data/photos"))
            .join(format!("{name}.jpg"));
        let bytes = std::fs::read(&path).unwrap();
        let image = Pixels::of(&bytes).unwrap();
        println!(
            "{name}, {} × {} to {width} × {height}",
            image.width, image.height
        );
        let decode = times(&|| {
            black_box(Pixels::of(&bytes).unwrap());
        });
        let resize = times(&|| {
            black_box(image.bicubic(width, height));
        });
        let [pillow_decode, pillow_resize] = pillow(&path, width, height).unwrap_or_default();
        told("decode", decode, pillow_decode);
        told("resize", resize, pillow_resize);
    }
}

fn times(work: &dyn Fn()) -> Vec<f64> {
    let once = |_| {
        let start = Instant::now();
        work();
        1000.0 * start.elapsed().as_secs_f64()
    };
    (0..REPEATED).map(once).collect()
}

fn pillow(path: &std::path::Path, width: usize, height: usize) -> Option<[Vec<f64>; 2]> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let output = Command::new(python)
        .arg("-c")
        .arg(SCRIPT)
        .arg(path)
        .args([width, height, REPEATED].map(|n| n.to_string()))
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut lines = text.lines();
    let mut line =
        || -> Option<Vec<f64>> { lines.next()?.split(' ').map(|n| n.parse().ok()).collect() };
    Some([line()?, line()?])
}

fn told(what: &str, ours: Vec<f64>, pillows: Vec<f64>) {
    let [(best, median), (other_best, other_median)] = [ours, pillows].map(|mut times| {
        times.sort_by(f64::total_cmp);
        let at = |i: usize| times.get(i).copied().unwrap_or(f64::NAN);
        (at(0), at(times.len() / 2))
    });
    print!("  {what}: {best:.2} ms at best, {median:.2} in the middle");
    if other_best.is_nan() {
        println!();
    } else {
        println!(
            "; Pillow {other_best:.2} and {other_median:.2}: {:.2} of its time",
            median / other_median
        );
    }
}
