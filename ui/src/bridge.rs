//! The only file that knows the transport. Today that is Tauri's IPC: parcels come down one channel as bytes, calls go up as
//! bytes, one after the other, because two invocations at once may overtake each other.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use fleetlens_ipc::{Call, encode};
use js_sys::{Array, ArrayBuffer, Function, Object, Promise, Reflect, Uint8Array};
use thiserror::Error;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

/// Why the host cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BridgeError {
    /// The page was not opened by one of the apps.
    #[error("this page was opened without its app; start fleetlens-desktop instead of the file")]
    NoHost,
    /// There is a host, but it could not start or would not have this window.
    #[error("{0}")]
    NotAttached(String),
    /// The host answered with an error, or the page could not ask.
    #[error("the window cannot reach its host: {0}")]
    Refused(String),
}

/// What the transport tells the window.
pub struct Ears {
    /// A parcel's bytes.
    pub parcel: Box<dyn Fn(Vec<u8>)>,
    /// Something went wrong on the way; the window goes on showing what it has.
    pub trouble: Box<dyn Fn(BridgeError)>,
}

/// The line to the host.
#[derive(Clone)]
pub struct Bridge {
    core: JsValue,
    waiting: Rc<RefCell<Waiting>>,
    ears: Rc<Ears>,
}

#[derive(Default)]
struct Waiting {
    calls: VecDeque<Vec<u8>>,
    sending: bool,
}

impl Bridge {
    /// Opens the line. Parcels come from now on; calls may be said at once and go out in order, after the line is attached.
    pub fn open(ears: Ears) -> Result<Bridge, BridgeError> {
        let core = tauri_core().ok_or(BridgeError::NoHost)?;
        let bridge = Bridge { core, waiting: Rc::new(RefCell::new(Waiting::default())), ears: Rc::new(ears) };
        bridge.waiting.borrow_mut().sending = true;
        let attaching = bridge.attach()?;
        let then = bridge.clone();
        spawn_local(async move {
            match JsFuture::from(attaching).await {
                Ok(_) => then.drain().await,
                // Whatever is said from now on would be refused for the same reason.
                Err(error) => (then.ears.trouble)(BridgeError::NotAttached(words(&error))),
            }
        });
        Ok(bridge)
    }

    /// Says something to the host, after everything said before.
    pub fn say(&self, call: &Call) {
        match encode(call) {
            Ok(bytes) => self.waiting.borrow_mut().calls.push_back(bytes),
            Err(error) => (self.ears.trouble)(BridgeError::Refused(error.to_string())),
        }
        if !self.waiting.borrow().sending {
            self.waiting.borrow_mut().sending = true;
            let bridge = self.clone();
            spawn_local(async move { bridge.drain().await });
        }
    }

    async fn drain(&self) {
        loop {
            let next = self.waiting.borrow_mut().calls.pop_front();
            let Some(bytes) = next else { break };
            let body = Uint8Array::from(bytes.as_slice());
            let sent = match self.invoke("call", &body) {
                Ok(promise) => JsFuture::from(promise).await.map_err(|error| refused(&error)),
                Err(error) => Err(error),
            };
            if let Err(error) = sent {
                (self.ears.trouble)(error);
            }
        }
        self.waiting.borrow_mut().sending = false;
    }

    fn attach(&self) -> Result<Promise, BridgeError> {
        let make: Function = get(&self.core, "Channel")?.dyn_into().map_err(|value| refused(&value))?;
        let channel = Reflect::construct(&make, &Array::new()).map_err(|error| refused(&error))?;
        let ears = Rc::clone(&self.ears);
        let hear = Closure::<dyn Fn(JsValue)>::new(move |message: JsValue| match bytes_of(&message) {
            Some(bytes) => (ears.parcel)(bytes),
            None => (ears.trouble)(BridgeError::Refused("a parcel that is no bytes".into())),
        });
        set(&channel, "onmessage", &hear.into_js_value())?;
        let arguments = Object::new();
        set(&arguments, "frames", &channel)?;
        self.invoke("attach", &arguments)
    }

    fn invoke(&self, command: &str, body: &JsValue) -> Result<Promise, BridgeError> {
        let invoke: Function = get(&self.core, "invoke")?.dyn_into().map_err(|value| refused(&value))?;
        let answer = invoke.call2(&self.core, &JsValue::from_str(command), body).map_err(|error| refused(&error))?;
        Ok(Promise::resolve(&answer))
    }
}

/// Where MapLibre finds its tiles: `{z}`, `{x}` and `{y}` stand for themselves. Tauri's own protocols are addresses of their own
/// on Linux, macOS and iOS, and hosts below `localhost` on Windows and Android; a web host serves them beside the page.
pub fn tiles_address() -> String {
    let location = web_sys::window().map(|window| window.location());
    let part = |read: fn(&web_sys::Location) -> Result<String, JsValue>| {
        location.as_ref().and_then(|location| read(location).ok()).unwrap_or_default()
    };
    let (protocol, host) = (part(web_sys::Location::protocol), part(web_sys::Location::hostname));
    match (protocol.as_str(), host.as_str()) {
        ("tauri:", _) => "tiles://localhost/{z}/{x}/{y}".into(),
        (_, "tauri.localhost") => format!("{protocol}//tiles.localhost/{{z}}/{{x}}/{{y}}"),
        _ => format!("{}/tiles/{{z}}/{{x}}/{{y}}", part(web_sys::Location::origin)),
    }
}

fn tauri_core() -> Option<JsValue> {
    let window = web_sys::window()?;
    let tauri = get(&window, "__TAURI__").ok()?;
    get(&tauri, "core").ok()
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
