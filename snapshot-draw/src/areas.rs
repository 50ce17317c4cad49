//! The kinds of areas, from below.

use crate::palette::{Palette, Rgb, mix};

/// Areas that look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// Fields and vineyards.
    Field,
    /// Parks, woods, grass, pitches, cemeteries.
    Green,
    /// Beaches.
    Sand,
    /// Sea and lakes.
    Water,
    /// Piers, in the water.
    Pier,
    /// Houses.
    Building,
}

/// Houses are seen from here on, and whole from [`BUILDINGS_WHOLE_ZOOM`].
const BUILDINGS_FROM_ZOOM: f64 = 13.0;
const BUILDINGS_WHOLE_ZOOM: f64 = 14.5;

impl Area {
    /// All of them, from below.
    pub const ALL: [Area; 6] = [Area::Field, Area::Green, Area::Sand, Area::Water, Area::Pier, Area::Building];

    /// By the tile's layer and OpenMapTiles' `class` there; `None` for what is not drawn as an area.
    pub fn of(layer: &str, class: &str) -> Option<Area> {
        match (layer, class) {
            ("water", _) => Some(Area::Water),
            ("building", _) => Some(Area::Building),
            ("park", _) | ("landcover", "grass" | "wood") => Some(Area::Green),
            ("landuse", "cemetery" | "pitch" | "playground" | "park" | "zoo") => Some(Area::Green),
            ("landcover", "farmland") => Some(Area::Field),
            ("landcover", "sand") => Some(Area::Sand),
            ("transportation", "pier") => Some(Area::Pier),
            _ => None,
        }
    }

    /// Its colour; `None` where it is not drawn.
    pub fn colour(self, palette: &Palette, zoom: f64) -> Option<Rgb> {
        match self {
            Area::Field => Some(palette.field),
            Area::Green => Some(palette.green),
            Area::Sand => Some(palette.sand),
            Area::Water => Some(palette.water),
            Area::Pier => Some(palette.land),
            Area::Building => {
                let share = (zoom - BUILDINGS_FROM_ZOOM) / (BUILDINGS_WHOLE_ZOOM - BUILDINGS_FROM_ZOOM);
                (share > 0.0).then(|| mix(palette.land, palette.building, share))
            }
        }
    }
}
