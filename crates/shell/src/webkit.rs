//! A switch of WebKitGTK that neither Tauri nor its bindings have a word for.
//!
//! WebKitGTK gives everything that scrolls a layer of its own and scrolls it on another thread. Without a graphics processor each
//! layer is laid over the others by the same two or four cores that everything else runs on, which costs three times what painting
//! the rows again costs; and a table of 10 000 rows, which has elements only for those on the screen, shows empty ones when it
//! is scrolled ahead of the page. So here the page scrolls itself (docs/adr/0007-scrolling-in-webkitgtk.md).
//!
//! This is the only unsafe code of ours: six functions of WebKitGTK's public interface, there since 2.42.

#![allow(unsafe_code, reason = "the bindings end at WebKitGTK 2.40, before the interface for its features")]

use std::ffi::{CStr, c_char, c_int};

use webkit2gtk::ffi::WebKitSettings;
use webkit2gtk::glib::translate::ToGlibPtr;
use webkit2gtk::{WebView, WebViewExt};

const SCROLLS_ON_ITS_OWN: &CStr = c"AsyncOverflowScrolling";

#[repr(C)]
struct Feature {
    _opaque: [u8; 0],
}

#[repr(C)]
struct FeatureList {
    _opaque: [u8; 0],
}

#[link(name = "webkit2gtk-4.1")]
unsafe extern "C" {
    fn webkit_settings_get_all_features() -> *mut FeatureList;
    fn webkit_feature_list_get_length(list: *mut FeatureList) -> usize;
    fn webkit_feature_list_get(list: *mut FeatureList, index: usize) -> *mut Feature;
    fn webkit_feature_list_unref(list: *mut FeatureList);
    fn webkit_feature_get_identifier(feature: *mut Feature) -> *const c_char;
    fn webkit_settings_set_feature_enabled(settings: *mut WebKitSettings, feature: *mut Feature, enabled: c_int);
}

/// The page of this view scrolls what scrolls in it. Returns whether WebKitGTK knows the switch.
pub fn scroll_with_the_page(view: &WebView) -> bool {
    let Some(settings) = WebViewExt::settings(view) else { return false };
    let settings: *mut WebKitSettings = settings.to_glib_none().0;
    // SAFETY: the list is ours until it is given back, and its features live as long as it does; the settings live as long as the
    // view. The identifier of a feature is a C string that is never null. We are on the thread of GTK: `view` cannot leave it.
    unsafe {
        let list = webkit_settings_get_all_features();
        let found = (0..webkit_feature_list_get_length(list))
            .map(|index| webkit_feature_list_get(list, index))
            .find(|feature| CStr::from_ptr(webkit_feature_get_identifier(*feature)) == SCROLLS_ON_ITS_OWN);
        if let Some(feature) = found {
            webkit_settings_set_feature_enabled(settings, feature, 0);
        }
        webkit_feature_list_unref(list);
        found.is_some()
    }
}
