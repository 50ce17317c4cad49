//! The parts of the window that the rail leads to, which addresses call views. The map lies behind all of them.

use crate::lang::said;

pub use fleetlens_ipc::address::View as Section;

/// What a driver's window has of them: car parks on a map and on boards, and the way to another role.
pub const OF_DRIVER: [Section; 3] = [Section::Map, Section::Boards, Section::Settings];

/// How a section stands on the screen.
pub trait OnScreen {
    /// The word for it.
    fn label(self) -> &'static str;

    /// The key that goes there after `G`.
    fn key(self) -> char;
}

impl OnScreen for Section {
    fn label(self) -> &'static str {
        match self {
            Section::Map => said("Map"),
            Section::Things => said("Things"),
            Section::Alarms => said("Alarms"),
            Section::Boards => said("Boards"),
            Section::Commands => said("Commands"),
            Section::Jobs => said("Jobs"),
            Section::Settings => said("Settings"),
        }
    }

    fn key(self) -> char {
        match self {
            Section::Map => 'M',
            Section::Things => 'T',
            Section::Alarms => 'A',
            Section::Boards => 'B',
            Section::Commands => 'C',
            Section::Jobs => 'J',
            Section::Settings => 'S',
        }
    }
}
