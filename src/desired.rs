//! Desired state out of Git: bare mirrors, rendering, tracking marks.
