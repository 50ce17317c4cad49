//! The city's nouns and rules, without I/O, clock or async.

pub mod shadow;
