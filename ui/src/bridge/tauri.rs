//! Tauri's IPC: parcels come down one channel as bytes, calls go up as bytes, one after the other, because two invocations at once
//! may overtake each other. The host is the same process, so the line is never cut.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::{BridgeError, Ears, Line, Packed, bytes_of, function, get, refused, set, words};

/// The line to the host in this process. Clones are the same.
#[derive(Clone)]
pub struct Invoker {
    core: JsValue,
    attached: Rc<Cell<bool>>,
    waiting: Rc<RefCell<Waiting>>,
    ears: Rc<Ears>,
}

#[derive(Default)]
struct Waiting {
    calls: VecDeque<Packed>,
    sending: bool,
}

/// What the app's page has and no other.
pub fn core() -> Option<JsValue> {
    let window = web_sys::window()?;
    let tauri = get(&window, "__TAURI__").ok()?;
    get(&tauri, "core").ok()
}

impl Invoker {
    /// Attaches this window. Takes as long as the host needs to start.
    pub fn open(core: JsValue, ears: Rc<Ears>) -> Result<Invoker, BridgeError> {
        let invoker = Invoker { core, attached: Rc::default(), waiting: Rc::default(), ears };
        let attaching = invoker.attach()?;
        let then = invoker.clone();
        spawn_local(async move {
            match JsFuture::from(attaching).await {
                Ok(_) => {
                    then.attached.set(true);
                    (then.ears.line)(Line::Open);
                }
                // Whatever is said from now on would be refused for the same reason.
                Err(error) => (then.ears.trouble)(BridgeError::NotAttached(words(&error))),
            }
        });
        Ok(invoker)
    }

    /// Sends a call after those before it.
    pub fn send(&self, call: Packed) {
        if !self.attached.get() {
            return self.ears.not_sent(&call);
        }
        let idle = {
            let mut waiting = self.waiting.borrow_mut();
            waiting.calls.push_back(call);
            !std::mem::replace(&mut waiting.sending, true)
        };
        if idle {
            let invoker = self.clone();
            spawn_local(async move { invoker.drain().await });
        }
    }

    /// Says something about windows that is not the host's: a command of this app with its arguments.
    pub fn tell(&self, command: &'static str, arguments: &[(&str, &str)], trouble: impl FnOnce(BridgeError) + 'static) {
        let said = Object::new();
        let begun = arguments.iter().try_for_each(|(name, value)| set(&said, name, &JsValue::from_str(value)));
        let asked = begun.and_then(|()| self.invoke(command, &said));
        spawn_local(async move {
            let done = match asked {
                Ok(promise) => JsFuture::from(promise).await.map(drop).map_err(|error| refused(&error)),
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                trouble(error);
            }
        });
    }

    pub fn ears(&self) -> &Ears {
        &self.ears
    }

    async fn drain(&self) {
        loop {
            let next = self.waiting.borrow_mut().calls.pop_front();
            let Some(call) = next else { break };
            let body = Uint8Array::from(call.bytes.as_slice());
            let sent = match self.invoke("call", &body) {
                Ok(promise) => JsFuture::from(promise).await.map_err(|error| refused(&error)),
                Err(error) => Err(error),
            };
            if let Err(error) = sent {
                self.ears.not_arrived(&call, error);
            }
        }
        self.waiting.borrow_mut().sending = false;
    }

    fn attach(&self) -> Result<Promise, BridgeError> {
        let make = function(&self.core, "Channel")?;
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
        let invoke = function(&self.core, "invoke")?;
        let answer = invoke.call2(&self.core, &JsValue::from_str(command), body).map_err(|error| refused(&error))?;
        Ok(Promise::resolve(&answer))
    }
}
