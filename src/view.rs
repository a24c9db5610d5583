//! What can be chosen of the lists, by name: screens, columns, groupings, and layouts made of them. The configuration and the console both say these
//! names, and neither knows the other.

pub mod columns;
pub mod grouping;
pub mod layout;
pub mod place;

pub use layout::{ByScreen, Layout, Layouts};
pub use place::{Place, Places};
