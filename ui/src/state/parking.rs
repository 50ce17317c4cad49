//! The car parks near a place as the window holds them.

use fleetlens_ipc::Look;
use fleetlens_ipc::rows::ParkingRow;
use fleetlens_model::geo::LonLat;
use fleetlens_model::id::ThingKey;

use super::Store;
use super::cells::List;
use super::views::Target;

/// Car parks, nearest first, each in a signal of its own.
pub type Parking = List<ThingKey, ParkingRow>;

impl Store {
    /// Looks for car parks near a place; those near the last one stay until the answer comes.
    pub fn look_at_parking(self, from: LonLat, limit: u32) {
        self.look(Target::Parking, Look::Parking { from, limit });
    }

    /// Nobody looks for a car park any more.
    pub fn look_away_from_parking(self) {
        self.away(Target::Parking);
        self.parking.clear();
    }
}
