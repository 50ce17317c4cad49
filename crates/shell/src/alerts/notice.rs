//! What is said of an alert outside the windows, before any system has its own words for it.

use std::path::PathBuf;

use fleetlens_host::Told;

/// What a notification says. Its words are plain text of ours and of strangers: whoever shows it where text is read as markup escapes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// What is wrong, in one line.
    pub title: String,
    /// What was seen and what to do, in one line or several.
    pub body: String,
    /// A small map of where it is, as a PNG file; `None` where there is none, such as on a phone, where an app starts no programs.
    pub picture: Option<PathBuf>,
    /// What is opened when it is chosen.
    pub opens: Told,
}

impl Notice {
    /// What is said of this alert.
    pub fn of(told: Told, picture: Option<PathBuf>) -> Notice {
        Notice { title: told.alert.title.clone(), body: told.alert.body.clone(), picture, opens: told }
    }
}

#[cfg(test)]
pub mod tests {
    use fleetlens_host::Alert;
    use fleetlens_host::model::id::{AlarmId, ThingKey};

    use super::*;

    /// An alert as the host tells it.
    pub fn told(thing: u32) -> Told {
        let alert = Alert {
            alarm: AlarmId(7),
            thing: ThingKey(thing),
            title: "Bin <one> is burning".to_owned(),
            body: "71.5 °C & rising\ncall the fire brigade".to_owned(),
            places: Vec::new(),
        };
        Told { run: 3, alert }
    }

    #[test]
    fn a_notice_says_what_the_alert_says_and_knows_what_it_opens() {
        let picture = Some(PathBuf::from("/data/pictures/alarm-0.png"));
        let notice = Notice::of(told(12), picture.clone());
        assert_eq!(notice.title, "Bin <one> is burning", "plain text, whatever a server reads");
        assert_eq!(notice.body, "71.5 °C & rising\ncall the fire brigade");
        assert_eq!((notice.picture, notice.opens), (picture, told(12)));
        assert_eq!(Notice::of(told(12), None).picture, None);
    }
}
