//! The colours: those of the window's map (ui/styles/tokens.css), a little farther apart where a small picture needs it.

use fleetlens_snapshot::{Sign, Theme};

/// Red, green and blue.
pub type Rgb = [u8; 3];

/// The colours of a theme.
#[derive(Clone, Debug, PartialEq)]
pub struct Palette {
    /// Ground.
    pub land: Rgb,
    /// Fields.
    pub field: Rgb,
    /// Parks, woods, grass.
    pub green: Rgb,
    /// Beaches.
    pub sand: Rgb,
    /// Sea, lakes, streams.
    pub water: Rgb,
    /// Buildings.
    pub building: Rgb,
    /// The edges of streets.
    pub casing: Rgb,
    /// Ways on foot.
    pub path: Rgb,
    /// Railways.
    pub rail: Rgb,
    /// Small streets.
    pub minor: Rgb,
    /// Larger streets.
    pub road: Rgb,
    /// The largest streets.
    pub major: Rgb,
    /// Names of streets.
    pub street_name: Rgb,
    /// Names of places.
    pub place_name: Rgb,
    /// Names of waters.
    pub water_name: Rgb,
    /// Around names.
    pub halo: Rgb,
    /// What is written beside marks.
    pub text: Rgb,
    /// Around marks, and what they are written on.
    pub edge: Rgb,
    warning: Rgb,
    critical: Rgb,
    calm: Rgb,
    unknown: Rgb,
}

impl Palette {
    /// The theme's.
    pub fn of(theme: Theme) -> Palette {
        match theme {
            Theme::Dark => Palette {
                land: rgb(0x161c23),
                field: rgb(0x181f23),
                green: rgb(0x1a2522),
                sand: rgb(0x24241f),
                water: rgb(0x0a0f16),
                building: rgb(0x1f2731),
                casing: rgb(0x12171d),
                path: rgb(0x28323d),
                rail: rgb(0x35404c),
                minor: rgb(0x2b3642),
                road: rgb(0x36434f),
                major: rgb(0x475565),
                street_name: rgb(0x8f9cab),
                place_name: rgb(0xb4c0cd),
                water_name: rgb(0x66788b),
                halo: rgb(0x10151a),
                text: rgb(0xdfe6ee),
                edge: rgb(0x0f1318),
                warning: rgb(0xe3a53c),
                critical: rgb(0xef5a5a),
                calm: rgb(0x6f8a88),
                unknown: rgb(0x8b95a1),
            },
            Theme::Light => Palette {
                land: rgb(0xf1f2f0),
                field: rgb(0xedf0e8),
                green: rgb(0xdde8d6),
                sand: rgb(0xf1ecd9),
                water: rgb(0xc3d7e4),
                building: rgb(0xdfddd8),
                casing: rgb(0xcfd4d8),
                path: rgb(0xd7d9d6),
                rail: rgb(0xb9bfc6),
                minor: rgb(0xffffff),
                road: rgb(0xffffff),
                major: rgb(0xfbeecb),
                street_name: rgb(0x5f6a76),
                place_name: rgb(0x36424f),
                water_name: rgb(0x557a93),
                halo: rgb(0xf7f8f8),
                text: rgb(0x17202a),
                edge: rgb(0xffffff),
                warning: rgb(0xb86e00),
                critical: rgb(0xc42b2b),
                calm: rgb(0x53746f),
                unknown: rgb(0x6b7580),
            },
        }
    }

    /// A mark's colour, the same as on the window's map.
    pub fn of_sign(&self, sign: Sign) -> Rgb {
        match sign {
            Sign::Calm => self.calm,
            Sign::Warning => self.warning,
            Sign::Critical => self.critical,
            Sign::Unknown => self.unknown,
        }
    }
}

/// One colour partly over another, from 0 (below) to 1 (above).
pub fn mix(below: Rgb, above: Rgb, share: f64) -> Rgb {
    let share = share.clamp(0.0, 1.0);
    let one = |below: u8, above: u8| (f64::from(below) * (1.0 - share) + f64::from(above) * share).round() as u8;
    let ([r, g, b], [red, green, blue]) = (below, above);
    [one(r, red), one(g, green), one(b, blue)]
}

const fn rgb(hex: u32) -> Rgb {
    let [_, r, g, b] = hex.to_be_bytes();
    [r, g, b]
}
