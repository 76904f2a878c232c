//! The threads of the pipeline: take the most wanted thing, do one step, look whether it is still wanted, go on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use image::RgbImage;

use super::pictures::{Entry, Key, Pixels, Shared, State, Want};
use super::preview::{Fit, Preview, scale};
use super::protocol::Graphics;
use super::shown::{Seen, Shown};
use crate::failures::overlay::through;

/// A decoded image of more bytes than this is kept reduced to [`KEPT_SIDE`].
const KEPT_BYTES: usize = 16 << 20;

/// Longest side of a reduced image; more than any grid shows.
const KEPT_SIDE: u32 = 2048;

/// One thing to do.
struct Job {
    want: Want,
    graphics: Graphics,
    epoch: u64,
    pixels: Option<Arc<Pixels>>,
}

/// Starts the workers.
pub(super) fn start(shared: &Arc<Shared>) {
    for i in 0..shared.limits.workers.max(1) {
        let shared = Arc::clone(shared);
        let spawned = std::thread::Builder::new()
            .name(format!("erw-picture-{i}"))
            .spawn(move || run(&shared));
        if let Err(error) = spawned {
            // With one worker fewer everything still comes, only later; with none, tiles stay tiles.
            tracing::warn!("no thread for images: {error}");
        }
    }
}

fn run(shared: &Shared) {
    while let Some(job) = next(shared) {
        let done = make(shared, &job);
        let mut state = shared.lock();
        state.busy.remove(&job.want.image);
        let seen = state.view.contains(&job.want);
        match done {
            Ok(Some(preview)) => publish(shared, &mut state, &job, preview),
            Ok(None) => {
                shared.dropped.fetch_add(1, Ordering::Relaxed);
            }
            Err(reason) => state.keep(
                Key::Broken(job.want.image.whole()),
                Entry::Broken(reason),
                &shared.numbers,
            ),
        }
        drop(state);
        // Another worker may have waited for this image.
        shared.wake.notify_all();
        if seen {
            (shared.notify)();
        }
    }
}

/// Even if it has gone out of view at the last moment: it is made, and may be wanted again. It cannot show in another's place,
/// since frames ask by name and size.
fn publish(shared: &Shared, state: &mut State, job: &Job, preview: Preview) {
    if state.epoch != job.epoch {
        shared.dropped.fetch_add(1, Ordering::Relaxed);
        return;
    }
    let key = Key::Preview(job.want.image.clone(), job.want.size, job.epoch);
    state.keep(key, Entry::Preview(Arc::new(preview)), &shared.numbers);
}

/// Waits for something to do; `None` at the end.
fn next(shared: &Shared) -> Option<Job> {
    let mut state = shared.lock();
    loop {
        if state.stopped {
            return None;
        }
        let now = Instant::now();
        if let Some(left) = state.settled.and_then(|at| at.checked_duration_since(now))
            && !left.is_zero()
        {
            (state, _) = shared
                .wake
                .wait_timeout(state, left)
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            continue;
        }
        if let Some(want) = most_wanted(&state) {
            state.busy.insert(want.image.clone());
            state.begun.insert(want.clone());
            let pixels = match state.cache.get(&Key::Pixels(want.image.whole())) {
                Some(Entry::Pixels(pixels)) => Some(Arc::clone(pixels)),
                _ => None,
            };
            return Some(Job {
                want,
                graphics: state.graphics,
                epoch: state.epoch,
                pixels,
            });
        }
        state = shared
            .wake
            .wait(state)
            .unwrap_or_else(std::sync::PoisonError::into_inner);
    }
}

/// The first thing in view that is neither there, nor broken, nor in somebody's hands; then among the neighbours.
pub(super) fn most_wanted(state: &State) -> Option<Want> {
    state
        .view
        .iter()
        .chain(&state.prefetch)
        .find(|want| {
            let key = Key::Preview(want.image.clone(), want.size, state.epoch);
            want.size.width > 0
                && want.size.height > 0
                && !state.busy.contains(&want.image)
                && !state.begun.contains(want)
                && state.cache.peek(&key).is_none()
                && state.cache.peek(&Key::Broken(want.image.whole())).is_none()
        })
        .cloned()
}

/// Decodes, scales and encodes; `None` as soon as nobody wants it any more.
fn make(shared: &Shared, job: &Job) -> Result<Option<Preview>, String> {
    let wanted = || {
        let state = shared.lock();
        state.epoch == job.epoch && state.wants(&job.want)
    };
    let zoom = job.want.image.zoom;
    let fit_of = |image: &RgbImage| {
        let [_, _, width, height] = zoom.part(image.dimensions());
        Fit::of(width, height, job.want.size, job.graphics)
    };
    let enough = job.pixels.as_ref().filter(|pixels| {
        let fit = fit_of(&pixels.image);
        !pixels.reduced || fit.pixels.0 < zoom.part(pixels.image.dimensions())[2]
    });
    let decoded;
    let source: &RgbImage = if let Some(pixels) = enough {
        &pixels.image
    } else {
        if !wanted() {
            return Ok(None);
        }
        decoded = decode(shared, job)?;
        &decoded.image
    };
    if !wanted() {
        return Ok(None);
    }
    let fit = fit_of(source);
    let part;
    let source = if zoom.is_whole() {
        source
    } else {
        part = zoom.cut(source);
        &part
    };
    let scaled = scale(source, fit.pixels.0, fit.pixels.1)?;
    if !wanted() {
        return Ok(None);
    }
    shared.encodes.fetch_add(1, Ordering::Relaxed);
    Preview::encode(scaled, fit, job.graphics, &shared.numbers).map(Some)
}

/// An image as its lens shows it. A source that cannot be had is no reason to show nothing.
fn load(shared: &Shared, shown: &Shown) -> Result<RgbImage, String> {
    let image = shared.source.load(&shown.image)?;
    let Some(Seen { lens, source }) = &shown.seen else {
        return Ok(image);
    };
    let source = if lens.needs_source() {
        shared.source.load(source).ok()
    } else {
        None
    };
    Ok(through(lens, source.as_ref(), &image))
}

/// Decodes an image, and keeps it for other sizes.
fn decode(shared: &Shared, job: &Job) -> Result<Arc<Pixels>, String> {
    shared.decodes.fetch_add(1, Ordering::Relaxed);
    let image = &job.want.image;
    // A decoder that panics on a malformed file must not take the worker along.
    let loaded = catch_unwind(AssertUnwindSafe(|| load(shared, image)))
        .unwrap_or_else(|_| Err("the decoder failed on this file".into()))?;
    if loaded.width() == 0 || loaded.height() == 0 {
        return Err("the image has no pixels".into());
    }
    let pixels = Arc::new(Pixels {
        image: loaded,
        reduced: false,
    });
    let kept = reduce(&pixels)?.map_or_else(|| Arc::clone(&pixels), Arc::new);
    let mut state = shared.lock();
    state.keep(
        Key::Pixels(image.whole()),
        Entry::Pixels(kept),
        &shared.numbers,
    );
    Ok(pixels)
}

/// A smaller copy of an image that is too large to keep.
fn reduce(pixels: &Pixels) -> Result<Option<Pixels>, String> {
    let image = &pixels.image;
    if image.as_raw().len() <= KEPT_BYTES {
        return Ok(None);
    }
    let longest = u64::from(image.width().max(image.height()));
    let side = |v: u32| {
        let scaled = u64::from(v) * u64::from(KEPT_SIDE) / longest;
        u32::try_from(scaled).unwrap_or(KEPT_SIDE).max(1)
    };
    Ok(Some(Pixels {
        image: scale(image, side(image.width()), side(image.height()))?,
        reduced: true,
    }))
}
