//! What is answered that is not the window itself, and the headers of everything.

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, SET_COOKIE, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

/// The window's policy: that of the apps (`src-tauri/tauri.conf.json`) without Tauri's own protocols, and in nobody's frame.
const WINDOW_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; \
     style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; object-src 'none'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Of a page of words, which carries its own style.
const WORDS_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";

/// The headers of every answer; those it has already stay.
pub fn dress(headers: &mut HeaderMap) {
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, WINDOW_POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        // An address may hold the token, and nobody else's business it is anyway.
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=(self)"),
        // A window that was built anew is used at once; what is unchanged is not sent again.
        (CACHE_CONTROL, "no-cache"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// Whoever has no token is told where it is.
pub fn no_token() -> Response<Body> {
    let mut response = words(
        StatusCode::UNAUTHORIZED,
        "This window is locked",
        "<p>It opens only at the whole address that <code>fleetlens serve</code> has printed in its terminal, the one that \
         ends with <code>?token=…</code>. Copy it from there.</p>\
         <p>A new token is made at every start, so an address from before the last start no longer opens; with \
         <code>--token-file</code> it stays the same.</p>",
    );
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"fleetlens\""));
    response
}

/// Whoever calls us by another name than ours.
pub fn wrong_name() -> Response<Body> {
    words(
        StatusCode::MISDIRECTED_REQUEST,
        "Not at this name",
        "<p>Fleetlens is served here, but not under the name in your address bar. Use the address that \
         <code>fleetlens serve</code> has printed; where it stands behind a proxy, tell it the proxy's name with \
         <code>--name</code>.</p>",
    )
}

/// Gives the cookie and sends on to the address without the token.
///
/// A browser does not send a strict cookie along a redirect that began with a link on somebody else's page; from a page of ours it
/// does. So there it is sent on by a page.
pub fn welcome(cookie: &str, to: &str, from_elsewhere: bool) -> Response<Body> {
    let mut response = if from_elsewhere {
        let page = format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Fleetlens</title>\
             <meta http-equiv=\"refresh\" content=\"0; url={to}\"><p><a href=\"{to}\">Open Fleetlens</a></p></html>"
        );
        respond(StatusCode::OK, HTML, page)
    } else {
        let mut response = respond(StatusCode::SEE_OTHER, HTML, "");
        if let Ok(to) = HeaderValue::from_str(to) {
            response.headers_mut().insert(LOCATION, to);
        }
        response
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(WORDS_POLICY));
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        headers.insert(SET_COOKIE, cookie);
    }
    response
}

/// A sentence, for whoever is not a person in front of a browser.
pub fn sentence(status: StatusCode, why: impl Into<String>) -> Response<Body> {
    respond(status, "text/plain; charset=utf-8", why.into())
}

/// An answer with a body of a type.
pub fn respond(status: StatusCode, content: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content));
    response
}

fn words(status: StatusCode, title: &str, body: &str) -> Response<Body> {
    // The window's colours (ui/styles/tokens.css); its files are behind the door.
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"dark light\"><title>{title} · Fleetlens</title><style>\
         :root{{--bg:#0f1318;--ink:#e8edf3;--soft:#a9b4c0;--code:#1c232c}}\
         @media(prefers-color-scheme:light){{:root{{--bg:#f5f7f9;--ink:#141a20;--soft:#4a5561;--code:#e3e8ed}}}}\
         body{{margin:0;min-height:100vh;display:grid;place-content:center;background:var(--bg);color:var(--soft);\
         font:16px/1.55 system-ui,sans-serif}}main{{max-width:34rem;padding:2rem}}\
         h1{{margin:0 0 .75rem;font-size:1.5rem;font-weight:600;color:var(--ink)}}p{{margin:.75rem 0}}\
         code{{padding:.1em .35em;border-radius:4px;background:var(--code);color:var(--ink);font-size:.9em}}\
         </style></head><body><main><h1>{title}</h1>{body}</main></body></html>"
    );
    let mut response = respond(status, HTML, page);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(WORDS_POLICY));
    response
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_policy_is_that_of_the_apps_without_their_protocols() {
        let config: Value = serde_json::from_str(include_str!("../../../src-tauri/tauri.conf.json")).unwrap();
        let apps = config["app"]["security"]["csp"].as_object().unwrap();
        let ours: Vec<(&str, &str)> =
            WINDOW_POLICY.split("; ").map(|directive| directive.split_once(' ').unwrap()).collect();
        for (directive, words) in apps {
            let theirs = if directive == "connect-src" { "'self'" } else { words.as_str().unwrap() };
            assert!(ours.contains(&(directive.as_str(), theirs)), "{directive} {theirs}");
        }
        assert_eq!(ours.len(), apps.len() + 1, "frame-ancestors is all we have besides");
    }

    #[test]
    fn a_link_on_somebody_elses_page_is_sent_on_by_a_page_of_ours() {
        let here = welcome("a=b", "/phone.html?theme=dark", false);
        assert_eq!(here.status(), StatusCode::SEE_OTHER);
        assert_eq!(here.headers()[LOCATION], "/phone.html?theme=dark");
        let elsewhere = welcome("a=b", "/", true);
        assert_eq!((elsewhere.status(), elsewhere.headers().get(LOCATION)), (StatusCode::OK, None));
        for answer in [here, elsewhere] {
            assert_eq!(answer.headers()[SET_COOKIE], "a=b");
            assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
        }
    }
}
