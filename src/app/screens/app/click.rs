//! The mouse on one application: nodes of the tree, and the tabs of the detail.

use super::{AppScreen, Pane, Tab};
use crate::app::mouse::{Part, Spot};
use crate::app::screens::Ctx;
use crate::view::place::Place;

impl AppScreen {
    /// Puts the cursor on the node that was clicked, or turns to the tab; whether it was a node.
    pub(super) fn clicked(&mut self, spot: Spot, ctx: &Ctx<'_>) -> bool {
        let beside = ctx.shape(Place::App).detail.is_some();
        match spot.part {
            Part::Second => false,
            Part::Main if beside || self.pane == Pane::Tree => self.on_tree(spot.line, ctx),
            Part::Main => {
                self.on_detail(spot, 1);
                false
            }
            Part::Detail => {
                self.on_detail(spot, 0);
                false
            }
        }
    }

    fn on_tree(&mut self, line: usize, ctx: &Ctx<'_>) -> bool {
        self.pane = Pane::Tree;
        let line = self.list.offset() + line;
        let found = self.list.select_line(line, ctx.now, Self::height(ctx));
        self.follow(ctx.now);
        found
    }

    /// The tabs stand below the title of the detail.
    fn on_detail(&mut self, spot: Spot, left: u16) {
        self.pane = Pane::Detail;
        let column = usize::from(spot.x.saturating_sub(left));
        let seen: Tab = self.detail.tab;
        if let Some(tab) = seen.under(column).filter(|_| spot.line == 0) {
            self.detail.show(tab);
        }
    }
}
