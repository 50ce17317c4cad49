//! How large an element is, as it changes.

use leptos::html::ElementType;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{Element, ResizeObserver};

/// Sets `size` to an element's inner width and height in CSS pixels, from when it is on the page.
pub fn watch_size<E>(element: NodeRef<E>, size: RwSignal<(i32, i32)>)
where
    E: ElementType,
    E::Output: JsCast + Clone + 'static,
{
    let observer = StoredValue::new_local(None::<ResizeObserver>);
    Effect::new(move |_| {
        let Some(element) = element.get() else { return };
        let element: Element = element.unchecked_into();
        let of = element.clone();
        let measure = move || {
            let now = (of.client_width(), of.client_height());
            if size.try_get_untracked().is_some_and(|known| known != now) {
                size.set(now);
            }
        };
        measure();
        let ear = Closure::<dyn Fn()>::new(measure).into_js_value();
        if let Ok(watching) = ResizeObserver::new(ear.unchecked_ref()) {
            watching.observe(&element);
            observer.set_value(Some(watching));
        }
    });
    on_cleanup(move || {
        if let Some(watching) = observer.try_get_value().flatten() {
            watching.disconnect();
        }
    });
}
