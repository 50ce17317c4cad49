//! What goes wrong around the app, with the real thing and through the whole host: a file that is damaged under it, a disk that cannot
//! be written, a link that is cut anywhere, payloads at the limit, clocks that jump. What was acknowledged is there, once.
#![cfg(test)]

#[path = "faults/broker.rs"]
mod broker;
#[path = "faults/cut.rs"]
mod cut;
#[path = "faults/damage.rs"]
mod damage;
#[path = "faults/read_only.rs"]
mod read_only;
#[path = "faults/refused.rs"]
mod refused;
#[path = "faults/scene.rs"]
mod scene;
#[path = "faults/size.rs"]
mod size;
