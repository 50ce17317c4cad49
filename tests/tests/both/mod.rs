//! What must hold in the desktop's window, in the phone's and in a browser alike: flows over a [`Page`](fleetlens_tests::page::Page),
//! written once.
#![allow(dead_code, reason = "each kind of window uses its part")]

pub mod city;
pub mod ground;
pub mod refusals;

/// What has been checked, for people who read the output.
pub fn told(step: &str) {
    println!("checked: {step}");
}
