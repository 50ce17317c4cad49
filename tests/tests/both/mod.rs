//! What must hold in the desktop's window and in the phone's alike.

pub mod ground;
pub mod refusals;
