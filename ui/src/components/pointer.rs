//! Whether the pointer is in an element.

use std::cell::Cell;
use std::rc::Rc;

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, EventTarget, Node};

/// Tells when the pointer comes into an element and when it leaves it. It goes by what is under the pointer: WebKit tells nobody of
/// leaving when what was under it has been taken away, such as a button that has done its work. Who ends under the pointer has been
/// left as well and is told so last of all; what it was told for may have ended before, so it is set with `try_set`.
pub fn follow_pointer(element: impl Fn() -> Option<Element> + 'static, tell: impl Fn(bool) + 'static) {
    let was_inside = Cell::new(false);
    let turn = Rc::new(move |inside: bool| {
        if was_inside.replace(inside) != inside {
            tell(inside);
        }
    });
    let is_at = {
        let turn = Rc::clone(&turn);
        move |target: Option<EventTarget>| {
            let node = target.and_then(|target| target.dyn_into::<Node>().ok());
            turn(node.is_some_and(|node| element().is_some_and(|element| element.contains(Some(&node)))));
        }
    };
    let over = window_event_listener(ev::pointerover, move |event| is_at(event.target()));
    // Out of the window there is nothing it could be over.
    let gone = Rc::clone(&turn);
    let out = window_event_listener(ev::pointerout, move |event| {
        if event.related_target().is_none() {
            gone(false);
        }
    });
    let end = StoredValue::new_local(turn);
    on_cleanup(move || {
        over.remove();
        out.remove();
        if let Some(turn) = end.try_get_value() {
            turn(false);
        }
    });
}
