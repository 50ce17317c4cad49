//! What must hold in the desktop's window, in the phone's and in a browser alike: flows over a [`Page`](fleetlens_tests::page::Page),
//! written once.
#![allow(dead_code, reason = "each kind of window uses its part")]

pub mod alarms;
pub mod bulk;
pub mod city;
pub mod diagnostics;
pub mod edit;
pub mod forms;
pub mod ground;
pub mod history;
pub mod markers;
pub mod orders;
pub mod pages;
pub mod rail;
pub mod refusals;
pub mod settings;
pub mod steer;
pub mod street;
pub mod table;

/// What has been checked, for people who read the output.
pub fn told(step: &str) {
    println!("checked: {step}");
}
