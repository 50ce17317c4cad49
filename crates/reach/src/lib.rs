//! Reaches people outside the window: tells alarms to webhooks and by mail, with quiet hours and escalation.
//!
//! [`Routes`] decides what goes where and when; it is pure. [`Webhook`] and [`Mail`] send. [`Reach`] is the task that joins them with
//! an [`Outbox`], where everything is kept that a restart must not lose. [`written`] is how all of it stands in a profile.
//!
//! [`Fetcher`] is the way in: what others have on their servers, such as tiles of maps, read within bounds.
//!
//! What does not belong here: what an alarm is and when there is one (the engine tells), what the journal is written with, the
//! notifications of the desktop, and anything of a window.
//!
//! Delivery is at least once: what is sent again after a lost answer or a restart bears the same delivery id. An event is told once
//! however often it comes in.

mod dial;
mod driver;
mod fetch;
mod hex;
mod mail;
mod notice;
mod outbox;
mod quiet;
mod retry;
mod routes;
mod since;
mod webhook;
pub mod written;

pub use driver::{NotTold, Outlet, Output, Reach, Standing, Told};
pub use fetch::{FetchError, Fetcher, Got, joined, server, server_and_port};
pub use mail::{Encryption, Mail, MailError, Server};
pub use notice::{Event, Notice, Occurrence, Position};
pub use outbox::{Kept, Memory, Outbox, OutboxError, Record, Waiting, Watched};
pub use quiet::{Quiet, Stretch};
pub use retry::{Outcome, Patience};
pub use routes::{Effects, Figures, Input, Parcel, Route, Routes};
pub use since::Since;
pub use webhook::{UrlError, VERSION, Webhook};
