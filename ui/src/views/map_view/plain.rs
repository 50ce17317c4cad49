//! The map of a machine without WebGL: how it is begun, and what says so.

use leptos::prelude::*;
use tr::tr;

use crate::format;
use crate::islands::map::PlainMap;
use crate::lang::said;

/// A map without WebGL.
#[derive(Clone, Debug)]
pub struct Plain {
    /// What draws it.
    pub map: PlainMap,
    /// Why it has no streets.
    pub groundless: Option<String>,
}

/// Loads what draws it; whoever follows `plain` begins the map anew with that.
pub fn load(plain: RwSignal<Option<Plain>>, failed: RwSignal<Option<String>>) {
    leptos::task::spawn_local(async move {
        // The view may be gone by then.
        match PlainMap::load().await {
            Ok(map) => drop(plain.try_set(Some(Plain { map, groundless: None }))),
            Err(error) => drop(failed.try_set(Some(format::capital(&error.to_string())))),
        }
    });
}

/// The words on such a map.
#[component]
pub fn PlainNote(
    /// The map.
    plain: RwSignal<Option<Plain>>,
) -> impl IntoView {
    let why = Memo::new(move |_| plain.with(|plain| plain.as_ref().map(|plain| plain.groundless.clone())));
    move || {
        why.get().map(|groundless| {
            view! {
                <div class="ground-note" role="status" data-testid="plain-note">
                    <p>{said("Drawn without a graphics card")}</p>
                    {groundless
                        .map(|why| {
                            view! {
                                <p class="ground-why" data-testid="groundless">
                                    {tr!("No streets: {}.", format::capital(&why).trim_end_matches('.'))}
                                </p>
                            }
                        })}
                </div>
            }
        })
    }
}
