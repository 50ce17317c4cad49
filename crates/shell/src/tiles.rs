//! The map's tiles as the page asks for them: `tiles://localhost/{z}/{x}/{y}` (on Windows and Android a host of that name).

use fleetlens_host::{Host, TilesError};
use tauri::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE};
use tauri::http::{Response, StatusCode};

/// The protocol's name.
pub const SCHEME: &str = "tiles";

/// A Mapbox vector tile.
const VECTOR_TILE: &str = "application/x-protobuf";

/// Answers a request for a path. Blocks on the disk.
pub fn answer(host: &Host, path: &str) -> Response<Vec<u8>> {
    let Some((z, x, y)) = number(path) else {
        return refuse(StatusCode::BAD_REQUEST, format!("{path} is no tile; ask for /z/x/y"));
    };
    match host.tile(z, x, y) {
        Ok(Some(tile)) => respond(StatusCode::OK, VECTOR_TILE, tile),
        // The sea beyond the map's edge: nothing, and nothing wrong.
        Ok(None) => respond(StatusCode::NO_CONTENT, VECTOR_TILE, Vec::new()),
        Err(error @ TilesError::NoSuchNumber { .. }) => refuse(StatusCode::BAD_REQUEST, error.to_string()),
        Err(error) => {
            tracing::warn!(%error, path, "a tile cannot be read");
            refuse(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
        }
    }
}

/// An answer that is no tile.
pub fn refuse(status: StatusCode, why: String) -> Response<Vec<u8>> {
    respond(status, "text/plain; charset=utf-8", why.into_bytes())
}

fn respond(status: StatusCode, content: &'static str, body: Vec<u8>) -> Response<Vec<u8>> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, tauri::http::HeaderValue::from_static(content));
    // The page's own origin is another protocol; nobody else can reach this one.
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, tauri::http::HeaderValue::from_static("*"));
    response
}

/// `/z/x/y`, all of it digits.
fn number(path: &str) -> Option<(u8, u32, u32)> {
    let mut parts = path.strip_prefix('/')?.split('/');
    let mut next = || parts.next().filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let number = (next()?.parse().ok()?, next()?.parse().ok()?, next()?.parse().ok()?);
    parts.next().is_none().then_some(number)
}

#[cfg(test)]
mod tests {
    use fleetlens_host::{BrokerChoice, HostOptions};

    use super::*;

    #[test]
    fn only_three_numbers_are_a_tile() {
        assert_eq!(number("/14/8852/6439"), Some((14, 8852, 6439)));
        for wrong in [
            "",
            "/",
            "/14",
            "/14/1",
            "/14/1/2/3",
            "/14/1/2/",
            "14/1/2",
            "/a/1/2",
            "/14/-1/2",
            "/14/+1/2",
            "/300/1/2",
            "/14//2",
            "/14/1/2.pbf",
            "/14/1/99999999999",
        ] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn tiles_are_answered_as_maps_expect() {
        let folder = std::env::temp_dir().join(format!("fleetlens-shell-tiles-{}", std::process::id()));
        let options = HostOptions { broker: BrokerChoice::None, ..HostOptions::demo(&folder) };
        let host = Host::start(options).await.unwrap();
        for (path, status, content, bytes) in [
            ("/14/8852/6439", 200, VECTOR_TILE, true),
            ("/14/1/1", 204, VECTOR_TILE, false),
            ("/14/99999/1", 400, "text/plain; charset=utf-8", true),
            ("/../../etc/passwd", 400, "text/plain; charset=utf-8", true),
        ] {
            let answer = tokio::task::block_in_place(|| answer(&host, path));
            assert_eq!(answer.status(), status, "{path}");
            assert_eq!(answer.headers()[CONTENT_TYPE], content, "{path}");
            assert_eq!(answer.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "*", "{path}");
            assert_eq!(!answer.body().is_empty(), bytes, "{path}");
        }
        host.stop().await;
        std::fs::remove_dir_all(folder).unwrap();
    }
}
