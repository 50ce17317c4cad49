//! How the values of each kind are called and shown.

use super::Kind;

pub(super) fn of(kind: Kind) -> &'static [Field] {
    match kind {
        Kind::Parking => PARKING,
        Kind::Lamp => LAMP,
        Kind::Bin => BIN,
        Kind::Charger => CHARGER,
        Kind::Vehicle => VEHICLE,
        Kind::Gateway => GATEWAY,
        Kind::Other => &[],
    }
}

/// How a value of a kind is called and shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// JSON pointer of the value.
    pub pointer: &'static str,
    /// Its name on the screen.
    pub label: &'static str,
    /// Its unit on the screen; empty for counts.
    pub unit: &'static str,
    /// Digits after the decimal point.
    pub decimals: u8,
    /// Its place on the screen, smaller first; the first is charted when a thing is opened.
    pub rank: u8,
}

impl Field {
    /// The least and the greatest value there can be, where the unit says so: a share is 0 to 100 %.
    pub fn limits(&self) -> Option<(f64, f64)> {
        (self.unit == "%").then_some((0.0, 100.0))
    }
}

const fn field(pointer: &'static str, label: &'static str, unit: &'static str, decimals: u8, rank: u8) -> Field {
    Field { pointer, label, unit, decimals, rank }
}

const PARKING: &[Field] = &[
    field("/free", "Free", "spaces", 0, 0),
    field("/free_accessible", "Free, accessible", "spaces", 0, 1),
    field("/free_charging", "Free, charging", "spaces", 0, 2),
    field("/barrier", "Barrier", "", 0, 3),
    field("/interval_s", "Sampling interval", "s", 0, 4),
];

const LAMP: &[Field] = &[
    field("/power_w", "Power", "W", 1, 1),
    field("/dim_pct", "Level when on", "%", 0, 0),
    field("/temp_c", "Lamp temp.", "°C", 1, 2),
    field("/burning_h", "Burning hours", "h", 0, 3),
    field("/on", "Switched on", "", 0, 4),
    field("/interval_s", "Sampling interval", "s", 0, 5),
];

const BIN: &[Field] = &[
    field("/fill_pct", "Fill", "%", 0, 0),
    field("/temp_c", "Temperature", "°C", 1, 1),
    field("/battery_pct", "Battery", "%", 0, 2),
    field("/tipped", "Tipped over", "", 0, 3),
    field("/interval_s", "Sampling interval", "s", 0, 4),
];

const CHARGER: &[Field] = &[
    field("/power_kw", "Power", "kW", 1, 0),
    field("/state", "State", "", 0, 1),
    field("/session_kwh", "This session", "kWh", 1, 2),
    field("/session_min", "Charging for", "min", 0, 3),
    field("/limit_kw", "Limit", "kW", 0, 4),
    field("/meter_kwh", "Meter", "kWh", 1, 5),
    field("/enabled", "In service", "", 0, 6),
    field("/interval_s", "Sampling interval", "s", 0, 7),
];

const VEHICLE: &[Field] = &[
    field("/speed_kmh", "Speed", "km/h", 0, 0),
    field("/battery_pct", "Battery", "%", 0, 1),
    field("/state", "State", "", 0, 2),
    field("/heading_deg", "Heading", "°", 0, 3),
    field("/odometer_km", "Odometer", "km", 1, 4),
    field("/lat", "Latitude", "°", 5, 5),
    field("/lon", "Longitude", "°", 5, 6),
    field("/interval_s", "Sampling interval", "s", 0, 7),
];

const GATEWAY: &[Field] = &[
    field("/heard", "Things heard", "things", 0, 0),
    field("/carries", "Things carried", "things", 0, 1),
    field("/rssi_dbm", "Backhaul signal", "dBm", 0, 2),
    field("/backhaul", "Backhaul", "", 0, 3),
    field("/uptime_h", "Up for", "h", 1, 4),
    field("/interval_s", "Sampling interval", "s", 0, 5),
];
