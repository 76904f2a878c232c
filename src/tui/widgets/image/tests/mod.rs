//! What tests of the pipeline and of its pictures share: sources that a test holds by the hand, and a rig with one worker.

mod frames;
mod pipeline;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use image::{Rgb, RgbImage};
use ratatui::layout::Size;

use super::pictures::State;
use super::{
    Graphics, Limits, PictureState, Pictures, Preview, Protocol, Shown, Source, Want, pictures,
    worker,
};
use crate::domain::ImageRef;

/// Says which image a worker has come for, and gives it only when told to.
struct Hand {
    came: Mutex<Sender<String>>,
    go: Mutex<Receiver<()>>,
}

impl Source for Hand {
    fn load(&self, image: &ImageRef) -> Result<RgbImage, String> {
        self.came.lock().unwrap().send(image.0.clone()).unwrap();
        self.go.lock().unwrap().recv().unwrap();
        Ok(RgbImage::from_pixel(40, 40, Rgb([200, 10, 10])))
    }
}

/// Gives every image at once, in a size read from its name ("64x48"); "bad" is broken, and "panic" worse.
struct Free;

impl Source for Free {
    fn load(&self, image: &ImageRef) -> Result<RgbImage, String> {
        let name = image.0.split('/').next_back().unwrap_or_default();
        match name {
            "bad" => return Err("no such file: 'bad'".into()),
            "panic" => panic!("a decoder's own bug"),
            _ => {}
        }
        let (width, height) = name.split_once('x').unwrap();
        let (width, height) = (width.parse().unwrap(), height.parse().unwrap());
        Ok(RgbImage::from_fn(width, height, |x, y| {
            let level = |v: u32, most: u32| u8::try_from(v * 255 / most).unwrap();
            Rgb([level(x, width), level(y, height), 128])
        }))
    }
}

/// A pipeline with one worker, no waiting for keys to be let go, and a channel of its notices. It waits for things themselves, for
/// as long as they take: how busy the machine is decides nothing.
struct Rig {
    pictures: Pictures,
    notices: Receiver<()>,
}

impl Rig {
    fn new(source: impl Source, graphics: Graphics, bytes: usize) -> Self {
        let (notify, notices) = channel();
        let limits = Limits {
            bytes,
            workers: 1,
            settle: Duration::ZERO,
        };
        let notify = Mutex::new(notify);
        let pictures = Pictures::with_source(source, graphics, limits, move || {
            let _ = notify.lock().unwrap().send(());
        });
        Self { pictures, notices }
    }

    fn free(graphics: Graphics) -> Self {
        Self::new(Free, graphics, 64 << 20)
    }

    /// Asks for `names` at `size`, and waits until each is ready or broken.
    fn show(&self, names: &[&str], size: Size) -> Vec<PictureState> {
        self.pictures.request(wants(names, size), vec![]);
        loop {
            let states: Vec<_> = names.iter().map(|n| self.get(n, size)).collect();
            let done = states.iter().all(|s| match s {
                PictureState::Loading => false,
                PictureState::Broken(_) => true,
                PictureState::Ready(_) => self.is_exact(names, size),
            });
            if done {
                return states;
            }
            self.notices.recv().unwrap();
        }
    }

    /// Whether the previews are those of this size rather than stopgaps.
    fn is_exact(&self, names: &[&str], size: Size) -> bool {
        let state = self.pictures.shared_for_tests().lock();
        names.iter().all(|name| {
            let image = Shown::plain(ImageRef((*name).to_owned()));
            let broken = pictures::Key::Broken(image.clone());
            let preview = pictures::Key::Preview(image, size, state.epoch);
            state.cache.peek(&preview).is_some() || state.cache.peek(&broken).is_some()
        })
    }

    /// Waits until the worker has nothing left to do.
    fn come_to_rest(&self) {
        let shared = self.pictures.shared_for_tests();
        let working =
            |state: &mut State| !state.busy.is_empty() || worker::most_wanted(state).is_some();
        drop(shared.wake.wait_while(shared.lock(), working).unwrap());
    }

    fn get(&self, name: &str, size: Size) -> PictureState {
        self.pictures
            .get(&Shown::plain(ImageRef(name.to_owned())), size)
    }

    fn decodes(&self) -> u64 {
        self.pictures.counts().decodes
    }
}

fn wants(names: &[&str], size: Size) -> Vec<Want> {
    names
        .iter()
        .map(|name| Want {
            image: Shown::plain(ImageRef((*name).to_owned())),
            size,
        })
        .collect()
}

fn graphics(protocol: Protocol) -> Graphics {
    Graphics {
        protocol,
        cell: (10, 20),
        wrap: false,
        true_color: true,
    }
}

fn preview(state: &PictureState) -> Arc<Preview> {
    match state {
        PictureState::Ready(preview) => Arc::clone(preview),
        other => panic!("not ready: {other:?}"),
    }
}

const SIZE: Size = Size::new(20, 10);
