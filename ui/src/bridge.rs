//! The only file that knows the transport, with one more for each: Tauri's IPC in the apps ([`tauri`]), a WebSocket to the page's
//! own origin in a browser ([`web`]). Both carry the contract's bytes, and in both the line may be cut and come back.

mod tauri;
mod web;

use std::fmt;
use std::rc::Rc;

use fleetlens_ipc::address::Address;
use fleetlens_ipc::{Call, RequestId, encode};
use js_sys::{Array, ArrayBuffer, Function, Reflect, Uint8Array};
use thiserror::Error;
use tr::tr;
use wasm_bindgen::prelude::*;

use crate::lang::said;

/// Why the host cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BridgeError {
    /// The page was not opened by one of the apps.
    NoHost,
    /// There is a host, but it could not start or would not have this window.
    NotAttached(String),
    /// The browser lets no tab be opened.
    NoWindow,
    /// The host answered with an error, or the page could not ask.
    Refused(String),
}

impl fmt::Display for BridgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BridgeError::NoHost => {
                f.write_str(said("this page was opened without its app; start fleetlens-desktop instead of the file"))
            }
            BridgeError::NotAttached(why) => f.write_str(why),
            BridgeError::NoWindow => f.write_str(said("the browser opened no tab; allow this page to, and ask again")),
            BridgeError::Refused(why) => f.write_str(&tr!("the window cannot reach its host: {}", why)),
        }
    }
}

/// How the line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// The host has this window, for the first time or anew: it knows nothing of what was said before.
    Open,
    /// Nothing comes and nothing goes; it is tried again.
    Cut,
    /// Nobody answers where the page came from; it is tried again.
    Ended,
    /// The host does not let this page in any more. It is not tried again.
    Locked,
}

/// What the transport tells the window.
pub struct Ears {
    /// A parcel's bytes.
    pub parcel: Box<dyn Fn(Vec<u8>)>,
    /// The line opened, was cut, or what is known of it changed.
    pub line: Box<dyn Fn(Line)>,
    /// A request did not arrive: it will never be answered.
    pub lost: Box<dyn Fn(RequestId, BridgeError)>,
    /// Something went wrong on the way; the window goes on showing what it has.
    pub trouble: Box<dyn Fn(BridgeError)>,
}

impl Ears {
    /// A call did not arrive.
    fn not_arrived(&self, call: &Packed, error: BridgeError) {
        match call.request {
            Some(request) => (self.lost)(request, error),
            None => (self.trouble)(error),
        }
    }

    /// There was no line for a call. Only a person's wish is worth a word: everything else is said anew when there is one.
    fn not_sent(&self, call: &Packed) {
        if let Some(request) = call.request {
            (self.lost)(request, BridgeError::Refused(said("it is not connected").into()));
        }
    }
}

/// A call on its way.
struct Packed {
    bytes: Vec<u8>,
    /// Of a call that is answered.
    request: Option<RequestId>,
}

/// The line to the host.
#[derive(Clone)]
pub struct Bridge(Kind);

#[derive(Clone)]
enum Kind {
    Tauri(tauri::Invoker),
    Web(web::Socket),
}

impl Bridge {
    /// Opens the line. [`Line::Open`] is told when there is one; what is said before is lost, as it is while the line is cut.
    pub fn open(ears: Ears) -> Result<Bridge, BridgeError> {
        let ears = Rc::new(ears);
        if let Some(core) = tauri::core() {
            return tauri::Invoker::open(core, ears).map(|invoker| Bridge(Kind::Tauri(invoker)));
        }
        web::Socket::open(ears).map(|socket| Bridge(Kind::Web(socket)))
    }

    /// Whether the host sits in an app with this page, where a page saves no files: the host does.
    pub fn is_of_app(&self) -> bool {
        matches!(self.0, Kind::Tauri(_))
    }

    /// Says something to the host, after everything said before.
    pub fn say(&self, call: &Call) {
        let request = match call {
            Call::Ask { request, .. } => Some(*request),
            Call::Hello { .. } | Call::Look { .. } | Call::LookAway { .. } | Call::Seen { .. } | Call::Drawn { .. } => {
                None
            }
        };
        match encode(call) {
            Ok(bytes) => self.send(Packed { bytes, request }),
            Err(error) => {
                self.ears().not_arrived(&Packed { bytes: Vec::new(), request }, BridgeError::Refused(error.to_string()))
            }
        }
    }

    /// Says where the window is, so that it comes back there; a browser remembers its tabs itself.
    pub fn shows(&self, address: &Address, profile: &str) {
        if let Kind::Tauri(invoker) = &self.0 {
            // Nobody asked for it: what comes of it at the next start is no reason to disturb anybody.
            let not_kept = |error: BridgeError| web_sys::console::warn_1(&error.to_string().into());
            invoker.tell("shows", &[("address", &address.to_string()), ("profile", profile)], not_kept);
        }
    }

    /// Opens one more window, in a browser one more tab, which shows this; trouble is told when there is none.
    pub fn open_window(&self, address: &Address) {
        match &self.0 {
            Kind::Tauri(invoker) => {
                let told = invoker.clone();
                let trouble = move |error| (told.ears().trouble)(error);
                invoker.tell("open_window", &[("address", &address.to_string())], trouble);
            }
            Kind::Web(socket) => {
                let page = format!("{}#/{address}", location(web_sys::Location::pathname));
                let opened = web_sys::window().and_then(|window| window.open_with_url_and_target(&page, "_blank").ok());
                if opened.flatten().is_none() {
                    (socket.ears().trouble)(BridgeError::NoWindow);
                }
            }
        }
    }

    fn send(&self, call: Packed) {
        match &self.0 {
            Kind::Tauri(invoker) => invoker.send(call),
            Kind::Web(socket) => socket.send(&call),
        }
    }

    fn ears(&self) -> &Ears {
        match &self.0 {
            Kind::Tauri(invoker) => invoker.ears(),
            Kind::Web(socket) => socket.ears(),
        }
    }
}

/// Where MapLibre finds its tiles: `{z}`, `{x}` and `{y}` stand for themselves. Tauri's own protocols are addresses of their own
/// on Linux, macOS and iOS, and hosts below `localhost` on Windows and Android; a web host serves them beside the page.
pub fn tiles_address() -> String {
    format!("{}/{{z}}/{{x}}/{{y}}", of_tiles("/tiles"))
}

/// Where the same map is as pictures, for a machine without WebGL; `{theme}` stands for itself too.
pub fn pictures_address() -> String {
    format!("{}/raster/{{theme}}/{{z}}/{{x}}/{{y}}.png", of_tiles(""))
}

/// Where tiles are, a web host's below this.
fn of_tiles(below: &str) -> String {
    let (protocol, host) = (location(web_sys::Location::protocol), location(web_sys::Location::hostname));
    match (protocol.as_str(), host.as_str()) {
        ("tauri:", _) => "tiles://localhost".into(),
        (_, "tauri.localhost") => format!("{protocol}//tiles.localhost"),
        _ => format!("{}{below}", location(web_sys::Location::origin)),
    }
}

/// A part of the page's address; empty when there is none.
fn location(read: fn(&web_sys::Location) -> Result<String, JsValue>) -> String {
    web_sys::window().and_then(|window| read(&window.location()).ok()).unwrap_or_default()
}

/// A message's bytes: small raw messages and large ones come in different clothes.
fn bytes_of(message: &JsValue) -> Option<Vec<u8>> {
    if let Some(buffer) = message.dyn_ref::<ArrayBuffer>() {
        return Some(Uint8Array::new(buffer).to_vec());
    }
    if let Some(bytes) = message.dyn_ref::<Uint8Array>() {
        return Some(bytes.to_vec());
    }
    Array::is_array(message).then(|| Uint8Array::new(message).to_vec())
}

fn get(of: &JsValue, name: &str) -> Result<JsValue, BridgeError> {
    let value = Reflect::get(of, &JsValue::from_str(name)).map_err(|error| refused(&error))?;
    if value.is_undefined() || value.is_null() {
        return Err(BridgeError::Refused(format!("the page has no {name}")));
    }
    Ok(value)
}

fn function(of: &JsValue, name: &str) -> Result<Function, BridgeError> {
    get(of, name)?.dyn_into().map_err(|value| refused(&value))
}

fn set(of: &JsValue, name: &str, value: &JsValue) -> Result<(), BridgeError> {
    Reflect::set(of, &JsValue::from_str(name), value).map(drop).map_err(|error| refused(&error))
}

fn refused(error: &JsValue) -> BridgeError {
    BridgeError::Refused(words(error))
}

/// What an error says: a text itself, or a fault or an exception with a message.
fn words(error: &JsValue) -> String {
    let message = || Reflect::get(error, &JsValue::from_str("message")).ok().and_then(|text| text.as_string());
    error.as_string().or_else(message).unwrap_or_else(|| format!("{error:?}"))
}
