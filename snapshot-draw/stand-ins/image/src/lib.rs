//! In the place of readers of picture formats: there are none, so there are no pictures. Only what `maplibre` 0.0.3 names is here.

use std::convert::Infallible;
use std::ops::Deref;

/// A picture, which there never is.
#[derive(Clone, Debug)]
pub struct RgbaImage(Infallible);

impl RgbaImage {
    /// Never called.
    pub fn dimensions(&self) -> (u32, u32) {
        match self.0 {}
    }
}

impl Deref for RgbaImage {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self.0 {}
    }
}

/// A picture of any kind, which there never is.
#[derive(Clone, Debug)]
pub struct DynamicImage(Infallible);

impl DynamicImage {
    /// Never called.
    pub fn to_rgba8(&self) -> RgbaImage {
        match self.0 {}
    }
}

/// That nothing reads pictures.
#[derive(Debug)]
pub struct ImageError;

/// Fails at once.
pub fn load_from_memory(_: &[u8]) -> Result<DynamicImage, ImageError> {
    Err(ImageError)
}
