//! The clipboard of the page.

use wasm_bindgen::{JsCast, JsValue};

/// Puts a text where it can be pasted from. Asks the page's clipboard, which is not there on an address that is neither local nor
/// encrypted; asked for later than a moment after a person pressed something, it refuses.
pub async fn copy(text: &str) -> Result<(), JsValue> {
    let get = |of: &JsValue, name: &str| js_sys::Reflect::get(of, &name.into());
    let window = web_sys::window().ok_or(JsValue::NULL)?;
    let clipboard = get(&get(&window, "navigator")?, "clipboard")?;
    let write: js_sys::Function = get(&clipboard, "writeText")?.dyn_into()?;
    let promise: js_sys::Promise = write.call1(&clipboard, &text.into())?.dyn_into()?;
    wasm_bindgen_futures::JsFuture::from(promise).await.map(drop)
}
