//! The map's tiles as the page asks for them: `tiles://localhost/{z}/{x}/{y}` (on Windows and Android a host of that name), and as
//! pictures `tiles://localhost/raster/{dark or light}/{z}/{x}/{y}.png`.

use std::sync::Arc;

use fleetlens_host::raster::RASTER_TILE;
use fleetlens_host::tiles::VECTOR_TILE;
use fleetlens_host::{Host, RasterAnswer, TileAnswer};
use tauri::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE};
use tauri::http::{Response, StatusCode};

/// The protocol's name.
pub const SCHEME: &str = "tiles";

/// What is at a path.
pub async fn at(host: Arc<Host>, path: String) -> Response<Vec<u8>> {
    if let Some(raster) = path.strip_prefix("/raster") {
        return picture(host.raster_at(raster).await);
    }
    answer(host.tile_of(&path).await)
}

fn picture(answer: RasterAnswer) -> Response<Vec<u8>> {
    match answer {
        RasterAnswer::Picture(png) => respond(StatusCode::OK, RASTER_TILE, png.to_vec()),
        RasterAnswer::Beyond => respond(StatusCode::NO_CONTENT, RASTER_TILE, Vec::new()),
        RasterAnswer::NoTile(why) => refuse(StatusCode::BAD_REQUEST, why),
        RasterAnswer::Later(why) => refuse(StatusCode::SERVICE_UNAVAILABLE, why),
        RasterAnswer::Never(why) => refuse(StatusCode::NOT_IMPLEMENTED, why),
    }
}

/// The answer as a response.
fn answer(answer: TileAnswer) -> Response<Vec<u8>> {
    match answer {
        TileAnswer::Tile { bytes, media } => respond(StatusCode::OK, media, bytes),
        TileAnswer::Beyond => respond(StatusCode::NO_CONTENT, VECTOR_TILE, Vec::new()),
        TileAnswer::Later(why) => refuse(StatusCode::SERVICE_UNAVAILABLE, why),
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
    use fleetlens_host::{BrokerChoice, HostOptions};

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn tiles_are_answered_as_maps_expect() {
        let folder = std::env::temp_dir().join(format!("fleetlens-shell-tiles-{}", std::process::id()));
        let options = HostOptions { broker: BrokerChoice::None, ..HostOptions::demo(&folder) };
        let host = Arc::new(Host::start(options).await.unwrap());
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
        for (path, status, content) in [
            ("/raster/dark/14/1/1.png", 204, RASTER_TILE),
            ("/raster/dark/14/99999/1.png", 400, "text/plain; charset=utf-8"),
        ] {
            let answer = at(Arc::clone(&host), path.into()).await;
            assert_eq!((answer.status().as_u16(), answer.headers()[CONTENT_TYPE] == content), (status, true), "{path}");
        }
        host.stop().await;
        std::fs::remove_dir_all(folder).unwrap();
    }
}
