//! Who is at the screen: the local identity and role that stand on every intent.

use serde::{Deserialize, Serialize};

/// What a person may do here. The broker's access rules are the real fence; this one keeps honest people from mistakes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Watches and steers everything.
    Operator,
    /// Works on things on site: steers and acknowledges.
    Technician,
    /// Sees everything, steers nothing. What a profile without a role gets.
    #[default]
    Viewer,
    /// Looks for a place to park; sees no controls.
    Driver,
}

impl Role {
    /// Every role, the one that may most first.
    pub const ALL: [Role; 4] = [Role::Operator, Role::Technician, Role::Viewer, Role::Driver];

    /// The word that is stored and exported, as profiles have it.
    pub fn word(self) -> &'static str {
        match self {
            Role::Operator => "operator",
            Role::Technician => "technician",
            Role::Viewer => "viewer",
            Role::Driver => "driver",
        }
    }

    /// The role of a [`Role::word`]; `None` for any other.
    pub fn of_word(word: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.word() == word)
    }

    /// Whether commands of this role are taken at all.
    pub fn may_command(self) -> bool {
        match self {
            Role::Operator | Role::Technician => true,
            Role::Viewer | Role::Driver => false,
        }
    }

    /// Whether this role sees every thing and all that is told of it. Who does not sees car parks only.
    pub fn sees_everything(self) -> bool {
        match self {
            Role::Operator | Role::Technician | Role::Viewer => true,
            Role::Driver => false,
        }
    }

    /// Whether this role may acknowledge alarms.
    pub fn may_acknowledge(self) -> bool {
        self.may_command()
    }

    /// The roles a person with this one may take on: itself and every lesser one.
    pub fn and_lesser(self) -> &'static [Role] {
        match self {
            Role::Operator => &Role::ALL,
            Role::Technician => &[Role::Technician, Role::Viewer, Role::Driver],
            Role::Viewer => &[Role::Viewer, Role::Driver],
            Role::Driver => &[Role::Driver],
        }
    }

    /// The word on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Role::Operator => "Operator",
            Role::Technician => "Technician",
            Role::Viewer => "Viewer",
            Role::Driver => "Driver",
        }
    }
}

/// The person an intent comes from, as the profile names them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// A name for the record, e.g. `M. Vella`.
    pub name: String,
    /// What they may do.
    #[serde(default)]
    pub role: Role,
}
