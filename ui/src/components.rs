//! Small parts that views are put together from. None of them knows where its rows come from.

pub mod back;
pub mod clipboard;
pub mod coming;
pub mod confirm;
pub mod conflict;
pub mod control;
pub mod export;
pub mod figure;
pub mod icon;
pub mod marked;
pub mod modal;
pub mod numbered;
pub mod patch;
pub mod pointer;
pub mod popover;
pub mod segmented;
pub mod shadow_history;
pub mod shadow_table;
pub mod shape;
pub mod size;
pub mod still;
pub mod table;
pub mod trace;
pub mod words;
