//! The same for both apps.

include!("../crates/shell/app_build.rs");
