//! Notices on a phone: whether we may, which of them stand, and what a chosen one opens. What a phone itself does is behind [`System`],
//! because no machine of ours has one: everything here is tested against a system of the tests, and `plugin` is the real one.
//!
//! A phone names a chosen notification by what we named it. So there are a few spots with names that stay: the next notice takes the
//! spot of the oldest, on the phone as here, and what is chosen can only be what stands there. A notification that an earlier process
//! left behind is in a spot of which this one knows nothing, or was replaced: it opens the app and no thing.

use std::sync::{Arc, Mutex, PoisonError};

use fleetlens_host::Told;

use super::Notice;

/// How many notices stand at once; Android drops what an app shows past fifty.
pub const SPOTS: usize = 16;

/// What the button of a spot's notice is called, before its number.
const OPEN: &str = "open-";

/// Where a notice stands among ours: less than [`SPOTS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot(u8);

impl Spot {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Spot> {
        (0_u8..).take(SPOTS).map(Spot)
    }

    /// The number that a phone knows the notification by.
    pub fn number(self) -> i32 {
        i32::from(self.0)
    }

    /// What its button is called among the program and the phone.
    pub fn button(self) -> String {
        format!("{OPEN}{}", self.0)
    }

    /// The spot of what a person did: the button names it; a tap on the notification itself does so by its number, where the phone
    /// tells it (iOS does, Android does not). `None` for everything else, such as wiping it away.
    pub fn of(action: &str, number: Option<i32>) -> Option<Spot> {
        if action == "tap" {
            return Spot::all().find(|spot| Some(spot.number()) == number);
        }
        Spot::all().find(|spot| spot.button() == action)
    }
}

/// What a phone does. All of it blocks.
pub trait System: Send + Sync + 'static {
    /// Whether notifications may be shown.
    fn may(&self) -> Result<bool, String>;

    /// Asks the person whether they may, and waits for the answer.
    fn ask(&self) -> Result<bool, String>;

    /// Shows a notice in a spot, in place of what stands there.
    fn show(&self, spot: Spot, notice: &Notice) -> Result<(), String>;
}

/// Why a notice is not shown.
#[derive(Debug, thiserror::Error)]
pub enum Unshown {
    /// The person does not want it; said once.
    #[error("notifications are not allowed; the phone's settings can allow them to Fleetlens")]
    Refused,
    /// What the phone said.
    #[error("the phone says: {0}")]
    Phone(String),
}

/// A phone, with what of ours stands on it.
pub struct Phone<S> {
    system: S,
    /// What is known of the person's answer. Held while they are asked: what comes meanwhile waits, and asks nothing.
    answer: tokio::sync::Mutex<Answer>,
    standing: Mutex<Standing>,
}

/// What a person was asked and told.
#[derive(Clone, Copy, Debug, Default)]
struct Answer {
    asked: bool,
    /// That they refused was said.
    told: bool,
}

/// What stands in the spots.
#[derive(Debug, Default)]
struct Standing {
    told: [Option<Told>; SPOTS],
    next: usize,
}

impl<S: System> Phone<S> {
    /// A phone on which nothing of ours stands.
    pub fn new(system: S) -> Phone<S> {
        Phone { system, answer: tokio::sync::Mutex::default(), standing: Mutex::default() }
    }

    /// Shows a notice, after asking whether we may if nobody was asked in this process. That a person refused is an error once; after
    /// that nothing is shown without a word, until the phone's settings allow it.
    pub async fn show(self: &Arc<Self>, notice: Notice) -> Result<(), Unshown> {
        if !self.is_allowed().await? {
            tracing::debug!(title = notice.title, "notifications are not allowed");
            return Ok(());
        }
        // Before it is shown, since it can be chosen at once.
        let spot = self.take(notice.opens.clone());
        let shown = self.on_thread(move |system| system.show(spot, &notice)).await;
        if shown.is_err() {
            // What stood there before still may, and opens nothing rather than something else.
            self.forget(spot);
        }
        shown
    }

    /// What a chosen notification opens: what stands in its spot, if this process put it there.
    pub fn chosen(&self, spot: Spot) -> Option<Told> {
        let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        standing.told.get(usize::from(spot.0)).cloned().flatten()
    }

    async fn is_allowed(self: &Arc<Self>) -> Result<bool, Unshown> {
        let mut answer = self.answer.lock().await;
        // Looked at each time: the phone's settings change it behind us. Where it is granted nothing may be asked, either: the
        // plugin's Kotlin never answers that.
        if self.on_thread(S::may).await? {
            return Ok(true);
        }
        if !answer.asked {
            answer.asked = true;
            if self.on_thread(S::ask).await? {
                return Ok(true);
            }
        }
        if answer.told {
            return Ok(false);
        }
        answer.told = true;
        Err(Unshown::Refused)
    }

    fn forget(&self, spot: Spot) {
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = standing.told.get_mut(usize::from(spot.0)) {
            *place = None;
        }
    }

    /// The spot of the oldest, for this one.
    fn take(&self, told: Told) -> Spot {
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        let next = standing.next;
        standing.next = (next + 1) % SPOTS;
        if let Some(place) = standing.told.get_mut(next) {
            *place = Some(told);
        }
        Spot(u8::try_from(next).unwrap_or_default())
    }

    async fn on_thread<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&S) -> Result<T, String> + Send + 'static,
    ) -> Result<T, Unshown> {
        let this = Arc::clone(self);
        let done = tauri::async_runtime::spawn_blocking(move || work(&this.system)).await;
        done.unwrap_or_else(|error| Err(error.to_string())).map_err(Unshown::Phone)
    }
}

#[cfg(test)]
mod tests;
