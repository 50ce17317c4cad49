//! Whether the pointer is in an element.

use std::cell::Cell;

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, EventTarget, Node};

/// Tells when the pointer comes into an element and when it leaves it, until the component ends. It goes by what is under the
/// pointer: WebKit tells nobody of leaving when what was under it has been taken away, such as a button that has done its work.
pub fn follow_pointer(element: impl Fn() -> Option<Element> + 'static, tell: impl Fn(bool) + 'static) {
    let was_inside = Cell::new(false);
    let is_at = move |target: Option<EventTarget>| {
        let node = target.and_then(|target| target.dyn_into::<Node>().ok());
        let inside = node.is_some_and(|node| element().is_some_and(|element| element.contains(Some(&node))));
        if was_inside.replace(inside) != inside {
            tell(inside);
        }
    };
    let is_at = std::rc::Rc::new(is_at);
    let gone = std::rc::Rc::clone(&is_at);
    let over = window_event_listener(ev::pointerover, move |event| is_at(event.target()));
    // Out of the window there is nothing it could be over.
    let out = window_event_listener(ev::pointerout, move |event| {
        if event.related_target().is_none() {
            gone(None);
        }
    });
    on_cleanup(move || {
        over.remove();
        out.remove();
    });
}
