//! What it costs to measure an edit: the map alone and all measures, on one core. Prints the least and the median of some
//! repetitions, in milliseconds.
//!
//! ```text
//! cargo bench --bench failures
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what fails here fails the measurement"
)]

use std::hint::black_box;
use std::time::Instant;

use erw::data::images::{decode, resize};
use erw::failures::{EditMap, measure, raster};
use image::RgbImage;

const REPEATED: usize = 25;

fn main() {
    // `cargo test` builds benchmarks too and runs them with this flag: nothing is measured then.
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    for (side, what) in [(512, "512 × 512"), (1024, "1024 × 1024")] {
        let [source, edit] = ["photos/animals_crab.jpg", "edits/crab-blue-d.jpg"]
            .map(|name| resize(&read(name), side, side));
        let (source, edit) = (raster(&source).unwrap(), raster(&edit).unwrap());
        told(what, "edit map", &|| {
            black_box(EditMap::between(source, edit));
        });
        told(what, "all measures", &|| {
            black_box(measure(source, edit));
        });
        told(what, "all measures of a returned source", &|| {
            black_box(measure(source, source));
        });
    }
}

fn read(name: &str) -> RgbImage {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-data");
    decode(&std::fs::read(format!("{folder}/{name}")).unwrap()).unwrap()
}

fn told(size: &str, what: &str, work: &dyn Fn()) {
    let mut times: Vec<f64> = (0..REPEATED)
        .map(|_| {
            let start = Instant::now();
            work();
            1000.0 * start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!(
        "{size}, {what}: {:.1} ms at best, {:.1} ms in the middle",
        times[0],
        times[REPEATED / 2]
    );
}
