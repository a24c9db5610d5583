//! A frame as PNG: the SVG, drawn with the font in the binary and no other, so that every machine makes the same pixels.

use std::sync::{Arc, OnceLock};

use ratatui::buffer::Buffer;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, Options, Tree};

use super::SnapshotError;
use super::svg::{self, CELL};

const REGULAR: &[u8] = include_bytes!("../../../assets/fonts/DejaVuSansMono.ttf");
const BOLD: &[u8] = include_bytes!("../../../assets/fonts/DejaVuSansMono-Bold.ttf");

/// The font database, made once.
fn fonts() -> Arc<usvg::fontdb::Database> {
    static FONTS: OnceLock<Arc<usvg::fontdb::Database>> = OnceLock::new();
    let made = FONTS.get_or_init(|| {
        let mut fonts = usvg::fontdb::Database::new();
        fonts.load_font_data(REGULAR.to_vec());
        fonts.load_font_data(BOLD.to_vec());
        fonts.set_monospace_family("DejaVu Sans Mono");
        Arc::new(fonts)
    });
    Arc::clone(made)
}

/// Draws the frame.
pub(super) fn draw(frame: &Buffer) -> Result<Vec<u8>, SnapshotError> {
    let (cols, rows) = (frame.area.width, frame.area.height);
    let options = Options {
        fontdb: fonts(),
        font_family: "DejaVu Sans Mono".to_owned(),
        ..Options::default()
    };
    let side = |cells: u16, size: u32| (u32::from(cells) * size).div_ceil(100);
    let too_large = cols > 500 || rows > 200;
    let pixels = Some((side(cols, CELL.0), side(rows, CELL.1))).filter(|_| !too_large);
    let mut pixmap = pixels
        .and_then(|(w, h)| Pixmap::new(w, h))
        .ok_or(SnapshotError::Size(cols, rows))?;
    let tree = Tree::from_str(&svg::draw(frame), &options).map_err(Box::new)?;
    resvg::render(&tree, Transform::identity(), &mut pixmap.as_mut());
    pixmap
        .encode_png()
        .map_err(|e| SnapshotError::Png(e.to_string()))
}
