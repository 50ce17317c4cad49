//! The outbox against everything that goes wrong between a person and a device: the broker is killed and comes back with and without
//! its memory, the app is killed between intent, commit and publish, devices sleep, refuse and take their time. However it goes, a
//! command ends once, and no device does anything twice or after it was told to be over.
#![cfg(test)]

#[path = "outbox/judged.rs"]
mod judged;
#[path = "outbox/killed.rs"]
mod killed;
#[path = "outbox/restarted.rs"]
mod restarted;
