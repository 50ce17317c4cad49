//! In the place of a cache on the disk for an HTTP client. Only what `maplibre` 0.0.3 names is here.

use managers::CACacheManager;

/// A cache that keeps nothing.
#[derive(Debug)]
pub struct Cache {
    /// How it would be used.
    pub mode: CacheMode,
    /// Where it would lie.
    pub cache_manager: CACacheManager,
}

/// How a cache would be used.
#[derive(Debug)]
pub enum CacheMode {
    /// As the answers say.
    Default,
}

/// Where caches would lie.
pub mod managers {
    /// In a folder.
    #[derive(Debug)]
    pub struct CACacheManager {
        /// The folder.
        pub path: String,
    }
}
