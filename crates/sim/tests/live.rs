//! The demo city over real connections: its broker, its shadow service and its devices.
#![cfg(test)]

#[path = "live/app.rs"]
mod app;
#[path = "live/broker.rs"]
mod broker;
#[path = "live/city.rs"]
mod city;
