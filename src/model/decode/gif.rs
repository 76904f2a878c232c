//! The first frame of a GIF on its canvas. What the frame leaves open has the colour of the transparent index, or of index 0,
//! as in Pillow.

use gif::{ColorOutput, DecodeOptions};

use super::{Failure, Rgb, check_size};

pub(super) fn decode(bytes: &[u8]) -> Result<Rgb, Failure> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.set_memory_limit(gif::MemoryLimit::Unlimited);
    let mut decoder = options.read_info(bytes)?;
    let canvas = (decoder.width(), decoder.height());
    let frame = decoder
        .next_frame_info()?
        .ok_or_else(|| Failure("the GIF has no frame".to_owned()))?;
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let (frame_width, frame_height) = (usize::from(frame.width), usize::from(frame.height));
    let open = frame.transparent.unwrap_or(0);
    // A frame that reaches over the canvas enlarges it.
    let reach = |side: u16, begin: u16, length: u16| {
        u32::from(side).max(u32::from(begin) + u32::from(length))
    };
    let (width, height) = check_size(
        reach(canvas.0, frame.left, frame.width),
        reach(canvas.1, frame.top, frame.height),
    )?;
    let mut indices = vec![0; frame_width * frame_height];
    decoder.read_into_buffer(&mut indices)?;
    let colors = palette(decoder.palette().unwrap_or_default());
    let mut canvas = vec![open; width * height];
    let rows = canvas.chunks_exact_mut(width).skip(top);
    for (row, line) in rows.zip(indices.chunks_exact(frame_width.max(1))) {
        row[left..left + frame_width].copy_from_slice(line);
    }
    let pixels = canvas
        .into_iter()
        .flat_map(|index| colors[usize::from(index)])
        .collect();
    Ok(Rgb {
        width,
        height,
        pixels,
    })
}

/// The colour of each index; those beyond the file's palette are grey, as in Pillow.
fn palette(rgb: &[u8]) -> [[u8; 3]; 256] {
    let mut colors = [[0; 3]; 256];
    for (index, color) in (0..=u8::MAX).zip(&mut colors) {
        *color = [index; 3];
    }
    for (color, &given) in colors.iter_mut().zip(rgb.as_chunks().0) {
        *color = given;
    }
    colors
}
