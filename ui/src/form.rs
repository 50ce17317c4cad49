//! Whether this is the desktop's window or the phone's: `data-form` on the page says so, and the apps choose the page.

use leptos::prelude::*;

/// The two layouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A mouse, a keyboard, a large screen.
    Desktop,
    /// A thumb, sun, 390 pixels.
    Phone,
}

impl Form {
    /// What the page says; the desktop when it says nothing.
    pub fn of_page() -> Form {
        let word = document().document_element().and_then(|root| root.get_attribute("data-form"));
        if word.as_deref() == Some("phone") { Form::Phone } else { Form::Desktop }
    }

    /// How near a pointer must be to a thing on the map, in CSS pixels.
    pub fn reach_px(self) -> f64 {
        match self {
            Form::Desktop => 12.0,
            Form::Phone => 22.0,
        }
    }
}

/// The layout of the window.
pub fn form() -> Form {
    expect_context()
}
