//! The parts of the window that the rail leads to. The map lies behind all of them.

/// Where one is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Section {
    /// The map alone.
    #[default]
    Map,
    /// The table of things.
    Things,
    /// The alarms.
    Alarms,
    /// The boards.
    Boards,
    /// The outbox and the history of commands.
    Commands,
    /// Jobs of a service, and the firmware in the field.
    Jobs,
    /// How the program is set.
    Settings,
}

impl Section {
    /// Every section, in the order of the rail.
    pub const ALL: [Section; 7] = [
        Section::Map,
        Section::Things,
        Section::Alarms,
        Section::Boards,
        Section::Commands,
        Section::Jobs,
        Section::Settings,
    ];

    /// What a driver's window has of them: car parks on a map and on boards, and the way to another role.
    pub const OF_DRIVER: [Section; 3] = [Section::Map, Section::Boards, Section::Settings];

    /// The word on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Section::Map => "Map",
            Section::Things => "Things",
            Section::Alarms => "Alarms",
            Section::Boards => "Boards",
            Section::Commands => "Commands",
            Section::Jobs => "Jobs",
            Section::Settings => "Settings",
        }
    }

    /// The word for the style sheets and the tests.
    pub fn word(self) -> &'static str {
        match self {
            Section::Map => "map",
            Section::Things => "things",
            Section::Alarms => "alarms",
            Section::Boards => "boards",
            Section::Commands => "commands",
            Section::Jobs => "jobs",
            Section::Settings => "settings",
        }
    }

    /// The key that goes there after `G`.
    pub fn key(self) -> char {
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
