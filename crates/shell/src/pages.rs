//! Which addresses are the window's own pages.

use tauri::Url;

/// Whether a window may go there: only to what is built into the app. A link to elsewhere, from a description that a device sent
/// or by a mistake, would show a stranger's page in our frame.
pub fn are_ours(url: &Url) -> bool {
    match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        // Tauri's name for the same on Windows and Android.
        "http" | "https" => url.host_str() == Some("tauri.localhost") && url.port().is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_window_stays_on_its_own_pages() {
        for (url, ours) in [
            ("tauri://localhost", true),
            ("tauri://localhost/index.html?theme=dark", true),
            ("http://tauri.localhost/phone.html", true),
            ("https://tauri.localhost/", true),
            ("tauri://elsewhere/index.html", false),
            ("https://tauri.localhost.example/", false),
            ("https://tauri.localhost@example.org/", false),
            ("https://tauri.localhost:8443/", false),
            ("http://localhost/index.html", false),
            ("https://www.openstreetmap.org/copyright", false),
            ("file:///etc/passwd", false),
            ("data:text/html,hello", false),
            ("tiles://localhost/14/8852/6439", false),
        ] {
            assert_eq!(are_ours(&Url::parse(url).unwrap()), ours, "{url}");
        }
    }

    #[test]
    fn both_apps_have_one_policy_and_it_leaves_no_way_out() {
        let csp = |config: &str| -> Value {
            let config: Value = serde_json::from_str(config).unwrap();
            config["app"]["security"]["csp"].clone()
        };
        let desktop = csp(include_str!("../../../src-tauri/tauri.conf.json"));
        assert_eq!(desktop, csp(include_str!("../../../mobile/tauri.conf.json")));
        for (directive, want) in
            [("default-src", "'self'"), ("object-src", "'none'"), ("base-uri", "'none'"), ("form-action", "'none'")]
        {
            assert_eq!(desktop[directive], want, "{directive}");
        }
    }
}
