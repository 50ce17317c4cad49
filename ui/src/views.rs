//! The parts of the window, each over the state of [`crate::state::Store`]. Desktop and phone put the same ones together.

pub mod alarms;
pub mod attention;
pub mod audit;
pub mod chart;
pub mod commands;
pub mod diagnostics;
pub mod find;
pub mod help;
pub mod here;
pub mod jobs;
pub mod json_editor;
pub mod link;
pub mod map_view;
pub mod messages;
pub mod near;
pub mod not_converged;
pub mod notices;
pub mod outbox;
pub mod parking;
pub mod settings;
pub mod setup;
pub mod status_bar;
pub mod steer;
pub mod thing;
pub mod things;
