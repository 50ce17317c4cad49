//! The server: bind, answer, end in order.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::routing::{any, get};
use axum::serve::ListenerExt;
use fleetlens_host::ipc::CALL_MAX_BYTES;
use fleetlens_host::raster::RASTER_TILE;
use fleetlens_host::tiles::VECTOR_TILE;
use fleetlens_host::{Host, RasterAnswer, TileAnswer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::services::{ServeDir, ServeFile};

use crate::door::{Door, Verdict};
use crate::{ServeError, Token, pages, window};

/// How many windows there may be at once: a person has a few, and each costs the host a view of the city.
const WINDOWS_MAX: usize = 32;

/// How long answers on their way, and after them the windows, may take to end.
const ENDS_WITHIN: Duration = Duration::from_millis(1_500);

/// What is served, where and for whom.
#[derive(Debug)]
pub struct ServerOptions {
    /// The address to listen at; port 0 for any free one.
    pub listen: SocketAddr,
    /// The folder of the built window; see [`find_ui`](crate::find_ui).
    pub ui: PathBuf,
    /// Who has it may come in.
    pub token: Token,
    /// Names by which we may be called besides the address, such as that of a proxy before us.
    pub names: Vec<String>,
}

/// A server that listens and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    ui: PathBuf,
    token: Token,
    names: Vec<String>,
}

/// What every answer may need.
#[derive(Clone)]
struct Rooms {
    host: Arc<Host>,
    door: Arc<Door>,
    seats: Arc<Semaphore>,
    windows: TaskTracker,
    stopping: CancellationToken,
}

impl Server {
    /// Listens. Fails when the address cannot be had.
    pub async fn bind(options: ServerOptions) -> Result<Server, ServeError> {
        let ServerOptions { listen, ui, token, names } = options;
        let failed = |error: std::io::Error| ServeError::Address { address: listen, why: error.to_string() };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Server { listener, address, ui, token, names })
    }

    /// Where a browser on this computer finds a page (`""` or `"phone.html"`), with the token.
    pub fn address_of(&self, page: &str) -> String {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
        };
        format!("http://{}/{page}?token={}", SocketAddr::new(ip, self.address.port()), self.token.reveal())
    }

    /// Whether others than this computer can connect.
    pub fn is_exposed(&self) -> bool {
        !self.address.ip().is_loopback()
    }

    /// Answers until `stop` resolves. Then takes no more connections, tells the windows and detaches them; the host is left
    /// running, for the caller to stop.
    pub async fn run(self, host: Arc<Host>, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), ServeError> {
        let stopping = CancellationToken::new();
        let rooms = Rooms {
            host,
            door: Arc::new(Door::new(self.token, self.address, self.names)),
            seats: Arc::new(Semaphore::new(WINDOWS_MAX)),
            windows: TaskTracker::new(),
            stopping: stopping.clone(),
        };
        let windows = rooms.windows.clone();
        let nothing = any(async || pages::sentence(StatusCode::NOT_FOUND, "nothing is here; the window is at /"));
        let app = Router::new()
            .route("/ws", get(socket))
            .route("/tiles/{*number}", get(tile))
            .route("/raster/{*number}", get(raster))
            .route_service("/gallery", ServeFile::new(self.ui.join("gallery.html")))
            .fallback_service(ServeDir::new(self.ui).not_found_service(nothing))
            .layer(from_fn_with_state(rooms.clone(), pass))
            .with_state(rooms);
        // Calls and parcels are small and must not wait for one another.
        let listener = self.listener.tap_io(|connection| {
            if let Err(error) = connection.set_nodelay(true) {
                tracing::debug!(%error, "a connection keeps its delay");
            }
        });
        let asked = stopping.clone();
        let stop = async move {
            stop.await;
            asked.cancel();
        };
        let served = tokio::select! {
            served = axum::serve(listener, app).with_graceful_shutdown(stop).into_future() => served,
            () = async { stopping.cancelled().await; sleep(ENDS_WITHIN).await } => Ok(()),
        };
        stopping.cancel();
        windows.close();
        if timeout(ENDS_WITHIN, windows.wait()).await.is_err() {
            tracing::warn!("not every window was told that we end");
        }
        served.map_err(|error| ServeError::Listening(error.to_string()))
    }
}

/// The door, and the headers of everything behind and before it.
async fn pass(State(rooms): State<Rooms>, request: Request, next: Next) -> Response<Body> {
    let mut response = match rooms.door.judge(request.uri(), request.headers()) {
        Verdict::Enter => next.run(request).await,
        Verdict::Welcome(to) => pages::welcome(&rooms.door.cookie(), &to, is_from_elsewhere(request.headers())),
        Verdict::NoToken => pages::no_token(),
        Verdict::WrongName => pages::wrong_name(),
    };
    pages::dress(response.headers_mut());
    response
}

/// Whether a link on another site led here, as browsers tell (Fetch Metadata, section 2.3).
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site" || site == "same-site")
}

async fn socket(State(rooms): State<Rooms>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response<Body> {
    if !rooms.door.is_our_page(&headers) {
        return pages::sentence(StatusCode::FORBIDDEN, "only the page that is served here may open its socket");
    }
    let Ok(seat) = Arc::clone(&rooms.seats).try_acquire_owned() else {
        return pages::sentence(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{WINDOWS_MAX} windows are open; close one of them"),
        );
    };
    // Counted from here on, so that an end waits for a window that is just being opened.
    let counted = rooms.windows.token();
    upgrade.max_message_size(CALL_MAX_BYTES).max_frame_size(CALL_MAX_BYTES).on_upgrade(async move |socket| {
        window::run(socket, rooms.host, rooms.stopping).await;
        drop((seat, counted));
    })
}

async fn tile(State(rooms): State<Rooms>, uri: Uri) -> Response<Body> {
    let path = uri.path().strip_prefix("/tiles").unwrap_or_default().to_owned();
    // On a task of its own: a page that goes away leaves no tile half kept.
    match tokio::spawn(async move { rooms.host.tile_of(&path).await }).await {
        Ok(TileAnswer::Later(why)) => pages::sentence(StatusCode::SERVICE_UNAVAILABLE, why),
        Ok(TileAnswer::Tile { bytes, media }) => pages::respond(StatusCode::OK, media, bytes),
        Ok(TileAnswer::Beyond) => pages::respond(StatusCode::NO_CONTENT, VECTOR_TILE, Body::empty()),
        Ok(TileAnswer::NoTile(why)) => pages::sentence(StatusCode::BAD_REQUEST, why),
        Ok(TileAnswer::Unreadable(why)) => pages::sentence(StatusCode::INTERNAL_SERVER_ERROR, why),
        Err(_) => pages::sentence(StatusCode::INTERNAL_SERVER_ERROR, "the tile could not be read"),
    }
}

/// A page that does not wait any longer drops this, which takes the tile out of the queue.
async fn raster(State(rooms): State<Rooms>, uri: Uri) -> Response<Body> {
    let path = uri.path().strip_prefix("/raster").unwrap_or_default();
    match rooms.host.raster_at(path).await {
        RasterAnswer::Picture(png) => pages::respond(StatusCode::OK, RASTER_TILE, png.to_vec()),
        RasterAnswer::Beyond => pages::respond(StatusCode::NO_CONTENT, RASTER_TILE, Body::empty()),
        RasterAnswer::NoTile(why) => pages::sentence(StatusCode::BAD_REQUEST, why),
        RasterAnswer::Later(why) => pages::sentence(StatusCode::SERVICE_UNAVAILABLE, why),
        RasterAnswer::Never(why) => pages::sentence(StatusCode::NOT_IMPLEMENTED, why),
    }
}

#[cfg(test)]
mod tests;
