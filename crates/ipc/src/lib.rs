//! The whole contract between host and window.
