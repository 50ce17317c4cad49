//! A WebSocket to where the page came from (`fleetlens serve`): one binary message a parcel or a call. When it is cut it is
//! opened anew, after looking whether anybody is there and still lets this page in, which a socket cannot tell.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use js_sys::Promise;
use leptos::prelude::set_timeout;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{BinaryType, MessageEvent, RequestInit, Response, WebSocket};

use super::{BridgeError, Ears, Line, Packed, bytes_of, location, refused};

/// How long to wait before a try, by how many there were since the line was cut; the last one from then on.
const WAITS_MS: [u64; 6] = [300, 700, 1_500, 3_000, 5_000, 8_000];

/// HTTP's "unauthorized".
const UNAUTHORIZED: u16 = 401;

/// The line to the host behind the page's own address. Clones are the same.
#[derive(Clone)]
pub struct Socket(Rc<Inner>);

struct Inner {
    ears: Rc<Ears>,
    /// The open socket; `None` while the line is cut.
    open: RefCell<Option<WebSocket>>,
    /// Tries since the line was cut.
    tries: Cell<usize>,
}

impl Socket {
    /// Starts opening the line. Fails where the page came from no host.
    pub fn open(ears: Rc<Ears>) -> Result<Socket, BridgeError> {
        if !matches!(location(web_sys::Location::protocol).as_str(), "http:" | "https:") {
            return Err(BridgeError::NoHost);
        }
        let socket = Socket(Rc::new(Inner { ears, open: RefCell::new(None), tries: Cell::new(0) }));
        socket.connect();
        Ok(socket)
    }

    /// Sends a call now or never.
    pub fn send(&self, call: &Packed) {
        match &*self.0.open.borrow() {
            Some(socket) => {
                if let Err(error) = socket.send_with_u8_array(&call.bytes) {
                    self.0.ears.not_arrived(call, refused(&error));
                }
            }
            None => self.0.ears.not_sent(call),
        }
    }

    pub fn ears(&self) -> &Ears {
        &self.0.ears
    }

    fn connect(&self) {
        let socket = match WebSocket::new(&address()) {
            Ok(socket) => socket,
            Err(error) => return (self.0.ears.trouble)(BridgeError::NotAttached(refused(&error).to_string())),
        };
        socket.set_binary_type(BinaryType::Arraybuffer);

        let (line, opened) = (self.clone(), socket.clone());
        let on_open = Closure::once_into_js(move || {
            line.0.tries.set(0);
            line.0.open.replace(Some(opened));
            (line.0.ears.line)(Line::Open);
        });
        let ears = Rc::clone(&self.0.ears);
        let on_message =
            Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| match bytes_of(&event.data()) {
                Some(bytes) => (ears.parcel)(bytes),
                None => (ears.trouble)(BridgeError::Refused("a parcel that is no bytes".into())),
            });
        let line = self.clone();
        // Also comes after a try that led to nothing.
        let on_close = Closure::once_into_js(move || {
            let was_open = line.0.open.replace(None).is_some();
            if was_open || line.0.tries.get() == 0 {
                (line.0.ears.line)(Line::Cut);
            }
            line.try_later();
        });
        socket.set_onopen(Some(on_open.unchecked_ref()));
        socket.set_onmessage(Some(on_message.into_js_value().unchecked_ref()));
        socket.set_onclose(Some(on_close.unchecked_ref()));
    }

    fn try_later(&self) {
        let tries = self.0.tries.get();
        self.0.tries.set(tries + 1);
        let wait_ms = WAITS_MS.get(tries).or(WAITS_MS.last()).copied().unwrap_or_default();
        // Windows that were cut together do not all come back in the same moment.
        let wait_ms = wait_ms + (js_sys::Math::random() * 0.3 * wait_ms as f64) as u64;
        let line = self.clone();
        set_timeout(move || spawn_local(async move { line.look_and_connect().await }), Duration::from_millis(wait_ms));
    }

    async fn look_and_connect(&self) {
        match status_of_page().await {
            Some(UNAUTHORIZED) => (self.0.ears.line)(Line::Locked),
            Some(_) => self.connect(),
            None => {
                (self.0.ears.line)(Line::Ended);
                self.try_later();
            }
        }
    }
}

fn address() -> String {
    let scheme = if location(web_sys::Location::protocol) == "https:" { "wss" } else { "ws" };
    format!("{scheme}://{}/ws", location(web_sys::Location::host))
}

/// What asking for the page leads to: a status of HTTP, `None` when nobody answers.
async fn status_of_page() -> Option<u16> {
    let asking: Promise = {
        let how = RequestInit::new();
        how.set_method("HEAD");
        web_sys::window()?.fetch_with_str_and_init("/", &how)
    };
    let response: Response = JsFuture::from(asking).await.ok()?.dyn_into().ok()?;
    Some(response.status())
}
