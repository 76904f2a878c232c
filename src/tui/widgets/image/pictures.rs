//! What is wanted, what is there, and what was asked for last; the face of the pipeline. The work itself is in `worker`.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use image::RgbImage;
use ratatui::layout::Size;

use super::kitty::Numbers;
use super::lent::Lent;
use super::lru::Lru;
use super::preview::Preview;
use super::protocol::Graphics;
use super::shown::Shown;
use super::worker;
use crate::data::images;
use crate::domain::ImageRef;

/// An image at a size.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Want {
    /// Which image, and how.
    pub image: Shown,
    /// The area it is to fit, in cells.
    pub size: Size,
}

/// Where images come from: files, or a test's fake.
pub trait Source: Send + Sync + 'static {
    /// Reads and decodes one image.
    ///
    /// # Errors
    /// Why it cannot be shown, in words for the tile that stands in its place.
    fn load(&self, image: &ImageRef) -> Result<RgbImage, String>;
}

/// A workspace's files.
struct Files {
    root: PathBuf,
    /// Pictures that are in no file.
    lent: Lent,
}

impl Source for Files {
    fn load(&self, image: &ImageRef) -> Result<RgbImage, String> {
        if let Some(bytes) = self.lent.get(image) {
            return images::decode(&bytes).map_err(|e| e.to_string());
        }
        let bytes = images::read(&self.root, image).map_err(|e| e.to_string())?;
        images::decode(&bytes).map_err(|e| e.to_string())
    }
}

/// Bounds of the pipeline.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Memory for decoded images and encoded previews together.
    pub bytes: usize,
    /// Threads.
    pub workers: usize,
    /// How long a request must stand before work on it begins, when it follows another within the same time: while a key is
    /// held (30 a second), nothing is decoded on the way. A request by itself starts at once.
    pub settle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 256 << 20,
            workers: 2,
            settle: Duration::from_millis(45),
        }
    }
}

/// What there is to show of an image.
#[derive(Debug, Clone)]
pub enum PictureState {
    /// The image; while another size of it is being made, one that fits.
    Ready(Arc<Preview>),
    /// Being made, or about to be.
    Loading,
    /// It cannot be shown, and why.
    Broken(String),
}

/// How much was done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Images read and decoded.
    pub decodes: u64,
    /// Previews encoded.
    pub encodes: u64,
    /// Pieces of work dropped half-way because nobody wanted them any more.
    pub dropped: u64,
}

/// Deletes what the terminal holds when the program goes; outlives [`Pictures`], and never waits.
#[derive(Debug, Clone)]
pub struct Farewell(Numbers);

impl Farewell {
    /// What to write last. Whatever is shown afterwards (after a suspension, say) is sent anew.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.delete_all()
    }
}

/// The images of the screen.
pub struct Pictures {
    shared: Arc<Shared>,
}

/// An entry's name in the cache.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// Decoded, all of it.
    Pixels(Shown),
    /// Encoded for a size, in an epoch of the settings.
    Preview(Shown, Size, u64),
    /// Not to be had.
    Broken(Shown),
}

/// An entry in the cache.
#[derive(Debug, Clone)]
pub(super) enum Entry {
    Pixels(Arc<Pixels>),
    Preview(Arc<Preview>),
    Broken(String),
}

/// A decoded image, perhaps reduced.
#[derive(Debug)]
pub(super) struct Pixels {
    pub(super) image: RgbImage,
    /// Whether the file has more pixels than are kept here.
    pub(super) reduced: bool,
}

/// What loop and workers share.
pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    pub(super) wake: Condvar,
    pub(super) source: Box<dyn Source>,
    pub(super) notify: Box<dyn Fn() + Send + Sync>,
    pub(super) numbers: Numbers,
    pub(super) limits: Limits,
    pub(super) decodes: AtomicU64,
    pub(super) encodes: AtomicU64,
    pub(super) dropped: AtomicU64,
}

/// What the lock guards.
pub(super) struct State {
    pub(super) graphics: Graphics,
    /// Counts changes of `graphics`: previews of another epoch are stopgaps only.
    pub(super) epoch: u64,
    pub(super) view: Vec<Want>,
    pub(super) prefetch: Vec<Want>,
    /// Images in a worker's hands.
    pub(super) busy: HashSet<Shown>,
    /// What was begun since the last request: a cache too small for all that is wanted must not make work for ever.
    pub(super) begun: HashSet<Want>,
    pub(super) cache: Lru<Key, Entry>,
    requested: Option<Instant>,
    /// While this is ahead, workers wait.
    pub(super) settled: Option<Instant>,
    /// Deletions the terminal has not had yet.
    deletions: Vec<u8>,
    pub(super) stopped: bool,
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether anybody still wants it.
    pub(super) fn wants(&self, want: &Want) -> bool {
        self.view.contains(want) || self.prefetch.contains(want)
    }

    /// Puts an entry in, and remembers to delete from the terminal what went out for it.
    pub(super) fn keep(&mut self, key: Key, entry: Entry, numbers: &Numbers) {
        let bytes = match &entry {
            Entry::Pixels(pixels) => pixels.image.as_raw().len(),
            Entry::Preview(preview) => preview.bytes(),
            Entry::Broken(reason) => 256 + reason.len(),
        };
        let view = &self.view;
        let gone = self.cache.insert(key, entry, bytes, |key| match key {
            Key::Preview(image, size, _) => view
                .iter()
                .any(|want| want.image == *image && want.size == *size),
            Key::Broken(image) => view.iter().any(|want| want.image.whole() == *image),
            Key::Pixels(_) => false,
        });
        self.forget(gone, numbers);
    }

    fn forget(&mut self, gone: Vec<Entry>, numbers: &Numbers) {
        for entry in gone {
            if let Entry::Preview(preview) = entry
                && let Some(image) = preview.kitty()
            {
                self.deletions.extend(numbers.delete(image.number()));
            }
        }
    }
}

impl Pictures {
    /// Images of the workspace at `root`, and those `lent`. `notify` is called, from a worker's thread, whenever something in view is ready or
    /// has failed.
    pub fn new(
        root: PathBuf,
        lent: Lent,
        graphics: Graphics,
        notify: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        Self::with_source(Files { root, lent }, graphics, Limits::default(), notify)
    }

    /// Images from any source, within given bounds.
    pub fn with_source(
        source: impl Source,
        graphics: Graphics,
        limits: Limits,
        notify: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                graphics,
                epoch: 0,
                view: Vec::new(),
                prefetch: Vec::new(),
                busy: HashSet::new(),
                begun: HashSet::new(),
                cache: Lru::new(limits.bytes),
                requested: None,
                settled: None,
                deletions: Vec::new(),
                stopped: false,
            }),
            wake: Condvar::new(),
            source: Box::new(source),
            notify: Box::new(notify),
            numbers: Numbers::new(graphics.wrap),
            limits,
            decodes: AtomicU64::new(0),
            encodes: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        });
        worker::start(&shared);
        Self { shared }
    }

    /// What the screen shows now, most important first, and what it may show next. Replaces every earlier request. Cheap,
    /// and cheaper when nothing changed: call it for every frame.
    pub fn request(&self, view: Vec<Want>, prefetch: Vec<Want>) {
        let mut state = self.shared.lock();
        if state.view == view && state.prefetch == prefetch {
            return;
        }
        let now = Instant::now();
        let settle = self.shared.limits.settle;
        if state.view != view {
            let burst = state
                .requested
                .is_some_and(|last| now.duration_since(last) < settle);
            state.settled = burst.then(|| now + settle);
            state.requested = Some(now);
        }
        state.view = view;
        state.prefetch = prefetch;
        state.begun.clear();
        drop(state);
        self.shared.wake.notify_all();
    }

    /// What there is to show of `image` within `size` cells.
    pub fn get(&self, image: &Shown, size: Size) -> PictureState {
        let mut state = self.shared.lock();
        let epoch = state.epoch;
        let exact = Key::Preview(image.clone(), size, epoch);
        if let Some(Entry::Preview(preview)) = state.cache.get(&exact) {
            return PictureState::Ready(Arc::clone(preview));
        }
        if let Some(Entry::Broken(reason)) = state.cache.get(&Key::Broken(image.whole())) {
            return PictureState::Broken(reason.clone());
        }
        let stopgap = state
            .cache
            .iter()
            .filter_map(|(key, entry)| match (key, entry) {
                (Key::Preview(of, _, epoch), Entry::Preview(preview))
                    if of.image == image.image && preview.fits(size) =>
                {
                    // The same picture at another size rather than the image as it was shown before.
                    let area = u32::from(preview.size().width) * u32::from(preview.size().height);
                    Some(((of == image, *epoch, area), preview))
                }
                _ => None,
            })
            .max_by_key(|(rank, _)| *rank);
        stopgap.map_or(PictureState::Loading, |(_, preview)| {
            PictureState::Ready(Arc::clone(preview))
        })
    }

    /// Forgets that an image was broken, so that it is tried again.
    pub fn retry(&self, image: &Shown) {
        let mut state = self.shared.lock();
        state.cache.remove(&Key::Broken(image.whole()));
        state.begun.clear();
        drop(state);
        self.shared.wake.notify_all();
    }

    /// How images are encoded now.
    pub fn graphics(&self) -> Graphics {
        self.shared.lock().graphics
    }

    /// Encodes for another protocol or cell size from here on (the terminal's answer came, or its font changed). What is
    /// there stays on screen until its successor is ready.
    pub fn set_graphics(&self, graphics: Graphics) {
        let mut state = self.shared.lock();
        if state.graphics == graphics {
            return;
        }
        state.graphics = graphics;
        state.epoch += 1;
        state.begun.clear();
        self.shared.numbers.set_wrap(graphics.wrap);
        drop(state);
        self.shared.wake.notify_all();
    }

    /// What the terminal must receive before the frame just drawn into the buffer is flushed: images drawn for the first
    /// time, and deletions of forgotten ones. Empty for all but kitty's protocol. Call it at the end of every draw, and
    /// write it before the frame.
    pub fn outgoing(&self) -> Vec<u8> {
        let mut state = self.shared.lock();
        let mut bytes = std::mem::take(&mut state.deletions);
        for (_, entry) in state.cache.iter() {
            if let Entry::Preview(preview) = entry
                && let Some(due) = preview.kitty().and_then(super::kitty::KittyImage::due)
            {
                bytes.extend_from_slice(due);
            }
        }
        bytes
    }

    /// The terminal lost its images (a reset, a new client of tmux): everything is sent again when next drawn.
    pub fn retransmit(&self) {
        self.goodbye_bytes();
    }

    /// What deletes all images from the terminal; write it last.
    pub fn goodbye_bytes(&self) -> Vec<u8> {
        self.farewell().bytes()
    }

    /// The same, for a guard or a panic hook that outlives this.
    pub fn farewell(&self) -> Farewell {
        Farewell(self.shared.numbers.clone())
    }

    /// How much was done so far.
    pub fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            decodes: read(&self.shared.decodes),
            encodes: read(&self.shared.encodes),
            dropped: read(&self.shared.dropped),
        }
    }

    /// Whether what is shown of it is final: itself at its own size, or the reason why it is not to be had. What
    /// [`Pictures::get`] answers may be a stopgap.
    #[cfg(test)]
    pub(crate) fn is_final(&self, want: &Want) -> bool {
        let mut state = self.shared.lock();
        let exact = Key::Preview(want.image.clone(), want.size, state.epoch);
        state.cache.get(&exact).is_some()
            || state.cache.get(&Key::Broken(want.image.whole())).is_some()
    }

    #[cfg(test)]
    pub(super) fn shared_for_tests(&self) -> &Shared {
        &self.shared
    }

    /// Memory held, in bytes.
    pub fn bytes(&self) -> usize {
        self.shared.lock().cache.bytes()
    }
}

impl Drop for Pictures {
    /// Workers end by themselves after the step they are in; nobody waits for them.
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.stopped = true;
        state.view.clear();
        state.prefetch.clear();
        drop(state);
        self.shared.wake.notify_all();
    }
}
