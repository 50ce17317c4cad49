//! The harness of the end-to-end tests: real brokers, a real screen, the real windows, and a window without a screen.
//!
//! | module | gives a test |
//! |---|---|
//! | [`process`] | a program in a group of its own that does not outlive the test, however that ends |
//! | [`wait`] | waiting for a condition with a time-out and a sentence |
//! | [`broker`] | Mosquitto on a loopback port: stop it, kill it, start it again |
//! | [`impostor`] | a broker that is none, and says what the test wants |
//! | [`peer`] | an MQTT client: what a device, the shadow service or an onlooker says and hears |
//! | [`lamp`] | one scripted lamp, which obeys only when the test says so |
//! | [`town`] | the demo city's devices on any broker, and what each of them did |
//! | [`profile`] | profiles for those brokers |
//! | [`desk`] | a window without a screen: the frames of a host, applied |
//! | [`disk`] | a small disk that can be filled |
//! | [`display`] | an X server of its own |
//! | [`page`] | a page in any window, driven over WebDriver |
//! | [`window`] | the app's window, with WebKit in it |
//! | [`serve`] | `fleetlens serve`, running |
//! | [`browser`] | a page of it in Chromium |
//! | [`axe`] | what axe-core finds wrong with a page for people who see, hear or move otherwise |
//! | [`notices`], [`tray`] | what the desktop is told to show, and the click on it |
//! | [`vault`] | a keychain on a session bus of its own, locked as the test wants |
//! | [`person`] | what a person does at the window and reads from it |
//! | [`picture`] | colours and differences of what the window shows |
//! | [`bench`] | what the benchmarks share |
//!
//! What does not belong here: anything a test claims. A harness that cannot do its work panics with a sentence, because
//! there is nothing a test could do about it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a harness that fails is a failed test, and its message is what people read"
)]

pub mod axe;
pub mod bench;
pub mod broker;
pub mod browser;
pub mod desk;
pub mod disk;
pub mod display;
pub mod impostor;
pub mod kept;
pub mod lamp;
pub mod notices;
pub mod page;
pub mod papers;
pub mod peer;
pub mod person;
pub mod picture;
pub mod place;
pub mod process;
pub mod profile;
pub mod serve;
pub mod town;
pub mod tray;
pub mod vault;
pub mod wait;
pub mod window;
