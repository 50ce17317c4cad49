//! The map's tiles as the page asks for them: `tiles://localhost/{z}/{x}/{y}` (on Windows and Android a host of that name).

use fleetlens_host::TileAnswer;
use fleetlens_host::tiles::VECTOR_TILE;
use tauri::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE};
use tauri::http::{Response, StatusCode};

/// The protocol's name.
pub const SCHEME: &str = "tiles";

/// The answer as a response.
pub fn answer(answer: TileAnswer) -> Response<Vec<u8>> {
    match answer {
        TileAnswer::Tile(tile) => respond(StatusCode::OK, VECTOR_TILE, tile),
        TileAnswer::Beyond => respond(StatusCode::NO_CONTENT, VECTOR_TILE, Vec::new()),
        TileAnswer::NoTile(why) => refuse(StatusCode::BAD_REQUEST, why),
        TileAnswer::Unreadable(why) => refuse(StatusCode::INTERNAL_SERVER_ERROR, why),
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

#[cfg(test)]
mod tests {
    use fleetlens_host::{BrokerChoice, Host, HostOptions};

    use super::*;

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
            let answer = tokio::task::block_in_place(|| answer(host.tile_at(path)));
            assert_eq!(answer.status(), status, "{path}");
            assert_eq!(answer.headers()[CONTENT_TYPE], content, "{path}");
            assert_eq!(answer.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "*", "{path}");
            assert_eq!(!answer.body().is_empty(), bytes, "{path}");
        }
        host.stop().await;
        std::fs::remove_dir_all(folder).unwrap();
    }
}
