//! One cluster: facts at the left, permissions and the connection log at the right where there is room.

use crate::app::screens::{ClusterScreen, Ctx};
use crate::app::shape::Shape;
use crate::ui::paint::Canvas;
use crate::ui::sheet;

/// Draws the body.
///
/// ```text
///  link                                      │ permissions
///  state       live                          │ may         patch applications.argoproj.io
///  server      https://10.17.0.1:6443        │
///  nodes 3, 1 not ready                      │ connection log
///  node-2  not ready  v1.31.2                │ 01:58Z      stale → live
/// ```
pub(in crate::ui) fn draw(
    canvas: &mut Canvas<'_>,
    screen: &ClusterScreen,
    ctx: &Ctx<'_>,
    shape: &Shape,
) {
    let [left, right] = screen.pages(ctx);
    let (_, body) = shape.main.left(1);
    sheet::draw(canvas, body, &left, screen.top);
    if let Some(area) = shape.detail {
        let inner = canvas.fence(area);
        sheet::draw(canvas, inner, &right, screen.top);
    }
}
