//! Brokers and messages that mean harm, or are merely broken: refused or shown harmlessly, counted, bounded, never a crash.
#![cfg(test)]

// What is measured is the heap that people get.
#[global_allocator]
static HEAP: fleetlens_host::Heap = fleetlens_host::HEAP;

#[path = "hostile/broker.rs"]
mod broker;
#[path = "hostile/flood.rs"]
mod flood;
#[path = "hostile/messages.rs"]
mod messages;
#[path = "hostile/packets.rs"]
mod packets;
#[path = "hostile/page.rs"]
mod page;
#[path = "hostile/station.rs"]
mod station;
