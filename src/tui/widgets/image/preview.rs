//! One image, sized and encoded for one terminal: what a worker makes and a frame shows. Making is slow and happens off the
//! loop; showing only copies cells.

use std::io::Cursor;

use fast_image_resize as fir;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ImageEncoder, RgbImage};
use ratatui::buffer::{Buffer, CellDiffOption};
use ratatui::layout::{Rect, Size};
use ratatui::widgets::Widget;
use ratatui_image::protocol::halfblocks::Halfblocks;
use ratatui_image::protocol::iterm2::Iterm2;
use ratatui_image::protocol::sixel::Sixel;

use super::kitty::{KittyImage, MOST_CELLS, Numbers};
use super::protocol::{Graphics, Protocol};
use crate::tui::theme::Rgb;

/// An encoded image.
#[derive(Debug)]
pub struct Preview {
    size: Size,
    bytes: usize,
    content: Content,
}

enum Content {
    Kitty(KittyImage),
    Crate {
        protocol: Box<ratatui_image::protocol::Protocol>,
        indexed: bool,
    },
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Kitty(_) => "Kitty",
            Self::Crate { .. } => "Crate",
        })
    }
}

/// How large an image becomes within an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fit {
    /// The cells it covers.
    pub(super) cells: Size,
    /// The pixels to scale it to.
    pub(super) pixels: (u32, u32),
}

impl Fit {
    /// The largest size of the same aspect within `area`, for an image of `width` × `height` pixels.
    pub(super) fn of(width: u32, height: u32, area: Size, graphics: Graphics) -> Self {
        let (cell_w, cell_h) = (f64::from(graphics.cell.0), f64::from(graphics.cell.1));
        let area = match graphics.protocol {
            Protocol::Kitty => Size::new(area.width.min(MOST_CELLS), area.height.min(MOST_CELLS)),
            _ => area,
        };
        let (width, height) = (width.max(1), height.max(1));
        let scale = (f64::from(area.width) * cell_w / f64::from(width))
            .min(f64::from(area.height) * cell_h / f64::from(height));
        let (w, h) = (f64::from(width) * scale, f64::from(height) * scale);
        // A rounding error must not cost a row: 19.9999999 cells are 20, and 20.0000001 are no more.
        let up = |v: f64, most: u16| whole((v - 1e-6).ceil()).clamp(1, u32::from(most.max(1)));
        let near = |v: f64, most: u16| whole(v.round()).clamp(1, u32::from(most.max(1)));
        match graphics.protocol {
            Protocol::Halfblocks => {
                let (columns, rows) = (near(w / cell_w, area.width), near(h / cell_h, area.height));
                Self {
                    cells: cells(columns, rows),
                    pixels: (columns, rows * 2),
                }
            }
            protocol => {
                let enlarged = protocol == Protocol::Kitty && scale > 1.0;
                Self {
                    cells: cells(up(w / cell_w, area.width), up(h / cell_h, area.height)),
                    // The terminal enlarges as well as we do, and fewer bytes go over the wire.
                    pixels: if enlarged {
                        (width, height)
                    } else {
                        (whole(w.round()).max(1), whole(h.round()).max(1))
                    },
                }
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and at most a screen's pixels; the cast saturates"
)]
fn whole(value: f64) -> u32 {
    value as u32
}

fn cells(columns: u32, rows: u32) -> Size {
    let narrow = |v| u16::try_from(v).unwrap_or(u16::MAX);
    Size::new(narrow(columns), narrow(rows))
}

/// Scales to exactly `width` × `height`.
pub(super) fn scale(image: &RgbImage, width: u32, height: u32) -> Result<RgbImage, String> {
    if image.dimensions() == (width, height) {
        return Ok(image.clone());
    }
    let filter = if image.width() >= width && image.height() >= height {
        fir::FilterType::Lanczos3
    } else {
        fir::FilterType::CatmullRom
    };
    let kind = fir::PixelType::U8x3;
    let from = fir::images::ImageRef::new(image.width(), image.height(), image.as_raw(), kind)
        .map_err(|e| e.to_string())?;
    let mut to = fir::images::Image::new(width, height, kind);
    let options = fir::ResizeOptions::new().resize_alg(fir::ResizeAlg::Convolution(filter));
    fir::Resizer::new()
        .resize(&from, &mut to, &options)
        .map_err(|e| e.to_string())?;
    RgbImage::from_raw(width, height, to.into_vec()).ok_or_else(|| "scaling lost pixels".into())
}

impl Preview {
    /// Encodes an image that was scaled to `fit.pixels`.
    pub(super) fn encode(
        image: RgbImage,
        fit: Fit,
        graphics: Graphics,
        numbers: &Numbers,
    ) -> Result<Self, String> {
        use ratatui_image::protocol::Protocol as Encoded;
        let size = fit.cells;
        let area = usize::from(size.width) * usize::from(size.height);
        let pixels = image.as_raw().len() / 3;
        let wrapped = |protocol, bytes| Self {
            size,
            bytes,
            content: Content::Crate {
                protocol: Box::new(protocol),
                indexed: !graphics.true_color,
            },
        };
        Ok(match graphics.protocol {
            Protocol::Kitty => {
                let kitty = KittyImage::new(&png(&image)?, size, numbers);
                Self {
                    size,
                    // The terminal holds it decoded, with alpha, and has a quota (320 MB in kitty): count that in.
                    bytes: kitty.bytes() + pixels * 4,
                    content: Content::Kitty(kitty),
                }
            }
            Protocol::Halfblocks => {
                let blocks = Halfblocks::new(DynamicImage::ImageRgb8(image), size)
                    .map_err(|e| e.to_string())?;
                wrapped(Encoded::Halfblocks(blocks), area * 16)
            }
            Protocol::Sixel => {
                let sixel = Sixel::new(DynamicImage::ImageRgb8(image), size, graphics.wrap)
                    .map_err(|e| e.to_string())?;
                let bytes = sixel.data.len();
                wrapped(Encoded::Sixel(sixel), bytes)
            }
            Protocol::Iterm2 => {
                let inline = Iterm2::new(DynamicImage::ImageRgb8(image), size, graphics.wrap)
                    .map_err(|e| e.to_string())?;
                let bytes = inline.data.len();
                wrapped(Encoded::ITerm2(inline), bytes)
            }
        })
    }

    /// The cells it covers.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Whether it fits into an area of `size`.
    pub const fn fits(&self, size: Size) -> bool {
        self.size.width <= size.width && self.size.height <= size.height
    }

    /// The memory it takes, here and in the terminal.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether text drawn over it cannot be taken away again cell by cell.
    pub const fn is_opaque(&self) -> bool {
        match &self.content {
            Content::Kitty(_) => false,
            Content::Crate { protocol, .. } => {
                !matches!(**protocol, ratatui_image::protocol::Protocol::Halfblocks(_))
            }
        }
    }

    /// A sixel that ends on the last row of a screen makes the screen scroll.
    pub(super) const fn scrolls_at_the_bottom(&self) -> bool {
        match &self.content {
            Content::Kitty(_) => false,
            Content::Crate { protocol, .. } => {
                matches!(**protocol, ratatui_image::protocol::Protocol::Sixel(_))
            }
        }
    }

    pub(super) const fn kitty(&self) -> Option<&KittyImage> {
        match &self.content {
            Content::Kitty(image) => Some(image),
            Content::Crate { .. } => None,
        }
    }

    /// Draws it with its top left corner at `area`'s. Draws nothing if it does not fit.
    pub(super) fn render(&self, area: Rect, buffer: &mut Buffer) {
        if !self.fits(area.as_size()) {
            return;
        }
        let area =
            Rect::new(area.x, area.y, self.size.width, self.size.height).intersection(buffer.area);
        for position in area.positions() {
            // What was there goes, its background stays: modifiers would change the picture.
            let background = buffer[position].bg;
            buffer[position].reset();
            buffer[position].set_bg(background);
        }
        match &self.content {
            Content::Kitty(image) => image.render(area, buffer),
            Content::Crate { protocol, indexed } => {
                ratatui_image::Image::new(protocol).render(area, buffer);
                if *indexed && !self.is_opaque() {
                    index_colours(area, buffer);
                }
            }
        }
    }
}

/// Half-blocks for a terminal with 256 colours.
fn index_colours(area: Rect, buffer: &mut Buffer) {
    use ratatui::style::Color;
    let convert = |color| Rgb::of(color).map_or(color, |rgb| Color::Indexed(rgb.indexed()));
    for position in area.positions() {
        let cell = &mut buffer[position];
        if cell.diff_option == CellDiffOption::None {
            cell.fg = convert(cell.fg);
            cell.bg = convert(cell.bg);
        }
    }
}

/// PNG, for speed rather than for the last byte.
fn png(image: &RgbImage) -> Result<Vec<u8>, String> {
    let mut out = Cursor::new(Vec::new());
    PngEncoder::new_with_quality(&mut out, CompressionType::Fast, FilterType::Adaptive)
        .write_image(
            image.as_raw(),
            image.width(),
            image.height(),
            image::ExtendedColorType::Rgb8,
        )
        .map_err(|e| e.to_string())?;
    Ok(out.into_inner())
}
