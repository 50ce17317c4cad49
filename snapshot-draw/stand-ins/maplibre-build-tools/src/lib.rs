//! In the place of a check of shaders that never change; `wgpu` checks them again when they are used.

/// What the build script of `maplibre` calls.
pub mod wgsl {
    /// Nothing.
    pub fn validate_project_wgsl() {}
}
