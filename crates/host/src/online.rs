//! A base map from an address (docs/adr/0024-online-maps.md): what is behind the address, and its tiles, fetched when somebody looks at
//! them and kept in a file of the shape of every other map, so that what was seen once is there without a network.

mod look;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fleetlens_ipc::maps::{ADDRESS_MAX_BYTES, MapFile, OnlineBook, OnlineDraft};
use fleetlens_model::geo::{GeoBox, LonLat};
use fleetlens_reach::{FetchError, Fetcher, Got, joined, server, server_and_port};
use fleetlens_tiles::{Growing, KeptTile, Metadata, TILE_MAX_BYTES, TileFormat, check_schema, side_px, unzip};
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::ports::wall_now;
use crate::tiles::{TileAnswer, plain};

pub use look::look;
use look::number_at;

/// What the file of such a map ends in. Nothing that is copied gets such a name, so what a stranger's file says of an address is never
/// followed.
const ENDING: &str = ".online.mbtiles";

/// How much of one map is kept.
const KEPT_MAX_BYTES: u64 = 256 * 1024 * 1024;

/// How old a tile may be before a newer one is asked for; without a network it is shown however old it is.
const FRESH_S: i64 = 14 * 24 * 3_600;

/// How many tiles are fetched at once, and how many wait for that.
const AT_ONCE: usize = 4;
const WAITING_MAX: usize = 64;

/// How long nothing is fetched after a server could not be reached.
const REST: Duration = Duration::from_secs(5);

/// The longest rest that a server may wish for.
const REST_MAX: Duration = Duration::from_secs(5 * 60);

/// What stands for the tile's numbers and for one of several servers.
const SERVERS: [&str; 3] = ["a", "b", "c"];

/// The deepest zoom of a server that does not say it.
const USUAL_ZOOM: (u8, u8) = (14, 19);

/// What two maps of one file have in common.
const SAME: [&str; 5] = ["fleetlens_address", "fleetlens_tms", "fleetlens_near", "format", "attribution"];

/// What is behind an address.
#[derive(Clone)]
pub struct Behind {
    template: String,
    tms: bool,
    near: bool,
    name: String,
    metadata: Metadata,
}

/// Whether a file is the one of a map from an address.
pub fn is_online(file: &Path, folder: &Path) -> bool {
    is_named(file)
        && file.parent().is_some_and(|parent| crate::settings::whole(parent) == crate::settings::whole(folder))
}

/// Whether a file is called so.
pub fn is_named(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ENDING))
}

impl Behind {
    /// With what one of its tiles is.
    async fn measured(mut self, fetcher: &Fetcher, at: Option<LonLat>) -> Result<Behind, String> {
        let host = self.host();
        let (min, max) = (self.metadata.min_zoom.unwrap_or(0), self.metadata.max_zoom.unwrap_or(USUAL_ZOOM.0));
        let middle = self.metadata.bounds.map(|area| LonLat {
            lon_deg: f64::midpoint(area.west_deg, area.east_deg),
            lat_deg: f64::midpoint(area.south_deg, area.north_deg),
        });
        let places: Vec<LonLat> = [at, middle].into_iter().flatten().collect();
        let zooms = [min, 6.clamp(min, max.max(min)), 12.clamp(min, max.max(min))];
        let mut numbers: Vec<(u8, u32, u32)> = places.iter().flat_map(|at| zooms.map(|z| number_at(*at, z))).collect();
        numbers.push((min, 0, 0));
        let mut why = format!("{host} has no tile where it was looked for");
        for (z, x, y) in numbers {
            let got = fetcher.get(&self.address(z, x, y), TILE_MAX_BYTES as usize).await.map_err(capital)?;
            if got.status == 404 || got.status == 204 {
                why = format!("{host} has no tile where it was looked for ({})", got.status);
                continue;
            }
            let tile = content(&answered(&host, got)?)?;
            let picture = [TileFormat::Png, TileFormat::Jpeg, TileFormat::Webp];
            if let Some((format, side)) = picture.into_iter().find_map(|it| Some((it, side_px(it, &tile).ok()?))) {
                self.metadata.format = format;
                self.metadata.side_px = Some(side);
            } else if tile.trim_ascii_start().starts_with(b"<") {
                return Err(format!("{host} sends a page instead of tiles; look whether the address needs a key"));
            } else {
                self.metadata.format = TileFormat::Vector;
                check_schema(&self.metadata, &tile).map_err(|error| {
                    format!("What {host} sends cannot be drawn: {}", error.to_string().replace("the file", "it"))
                })?;
            }
            let usual = if self.metadata.format.is_raster() { USUAL_ZOOM.1 } else { USUAL_ZOOM.0 };
            self.metadata.max_zoom.get_or_insert(usual);
            return Ok(self);
        }
        Err(why)
    }

    fn host(&self) -> String {
        server(&self.address(0, 0, 0)).unwrap_or_default()
    }

    fn address(&self, z: u8, x: u32, y: u32) -> String {
        let row = if self.tms { ((1_u64 << z.min(30)) - 1).saturating_sub(u64::from(y)) } else { u64::from(y) };
        let server = SERVERS.get((x as usize + y as usize) % SERVERS.len()).copied().unwrap_or_default();
        let filled = self.template.replace("{z}", &z.to_string()).replace("{x}", &x.to_string());
        filled.replace("{y}", &row.to_string()).replace("{s}", server).replace("{r}", "")
    }

    /// What a window is told of it.
    pub fn about(&self) -> MapFile {
        let set = crate::tiles::tile_set(&self.metadata, false);
        MapFile {
            name: self.name.clone(),
            attribution: set.attribution,
            tiles: word(self.metadata.format).into(),
            container: self.host(),
            bounds: self.metadata.bounds,
            min_zoom: set.min_zoom,
            max_zoom: set.max_zoom,
            bytes: 0,
        }
    }

    /// Makes its file in the folder of maps, empty as yet, or finds the one that was made for it before; says whether it is new. Blocks
    /// on the disk.
    pub fn keep(&self, folder: &Path) -> Result<(PathBuf, bool), String> {
        let set = crate::tiles::tile_set(&self.metadata, false);
        let mut words = vec![
            ("name", if self.name.is_empty() { self.host() } else { self.name.clone() }),
            ("format", word(self.metadata.format).replace("vector", "pbf").replace("jpeg", "jpg")),
            ("minzoom", set.min_zoom.to_string()),
            ("maxzoom", set.max_zoom.to_string()),
            ("attribution", set.attribution),
            ("fleetlens_address", self.template.clone()),
            ("fleetlens_tms", u8::from(self.tms).to_string()),
            ("fleetlens_near", u8::from(self.near).to_string()),
        ];
        if let Some(side) = self.metadata.side_px {
            words.push(("fleetlens_side_px", side.to_string()));
        }
        if let Some(GeoBox { west_deg, south_deg, east_deg, north_deg }) = self.metadata.bounds {
            words.push(("bounds", format!("{west_deg},{south_deg},{east_deg},{north_deg}")));
        }
        std::fs::create_dir_all(folder).map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
        let stem: String =
            self.host().chars().take(80).map(|c| if c.is_alphanumeric() || c == '.' { c } else { '-' }).collect();
        for n in 1..1_000 {
            let name = if n == 1 { format!("{stem}{ENDING}") } else { format!("{stem}-{n}{ENDING}") };
            let path = folder.join(name);
            if !path.exists() {
                let made = Growing::create(&path, &words, KEPT_MAX_BYTES, true);
                return made.map(|_| (path, true)).map_err(|error| error.to_string());
            }
            let is_same = Growing::open(&path, KEPT_MAX_BYTES).is_ok_and(|kept| {
                let mut same = words.iter().filter(|(name, _)| SAME.contains(name));
                same.all(|(name, value)| kept.word(name).is_ok_and(|said| said.as_ref() == Some(value)))
            });
            if is_same {
                return Ok((path, false));
            }
        }
        Err(format!("there are too many maps of {stem} already"))
    }
}

/// The map of an address that is in use.
pub struct Online {
    kept: Growing,
    fetcher: Fetcher,
    template: String,
    tms: bool,
    format: TileFormat,
    right: Semaphore,
    waiting: Semaphore,
    fault: Mutex<Option<Unwell>>,
}

impl std::fmt::Debug for Online {
    /// Without the address, in which a key may stand.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Online").field("tms", &self.tms).field("format", &self.format).finish_non_exhaustive()
    }
}

/// Why the server gives nothing.
struct Unwell {
    why: String,
    /// Nothing is asked for before.
    until: Instant,
}

impl Online {
    /// Opens its file. Blocks on the disk.
    pub fn open(file: &Path, format: TileFormat) -> Result<Online, String> {
        let kept = Growing::open(file, KEPT_MAX_BYTES).map_err(|error| error.to_string())?;
        let said = |name| kept.word(name).map_err(|error| error.to_string());
        let template = said("fleetlens_address")?.ok_or("the file says no address")?;
        let is = |word: Option<String>| word.as_deref() == Some("1");
        let (tms, near) = (is(said("fleetlens_tms")?), is(said("fleetlens_near")?));
        Ok(Online {
            fetcher: Fetcher::new(near),
            kept,
            template,
            tms,
            format,
            right: Semaphore::new(AT_ONCE),
            waiting: Semaphore::new(WAITING_MAX),
            fault: Mutex::default(),
        })
    }

    /// What a window is told of it.
    pub fn book(&self) -> OnlineBook {
        OnlineBook {
            host: self.behind().host(),
            kept: self.kept.bytes(),
            kept_max: KEPT_MAX_BYTES,
            fault: self.fault().as_ref().map(|fault| fault.why.clone()),
        }
    }

    /// A tile: what is kept of it, else what the server has. Dropped, nothing more is fetched for it.
    pub async fn tile(&self, z: u8, x: u32, y: u32) -> TileAnswer {
        let kept = tokio::task::block_in_place(|| self.kept.get(z, x, y));
        let kept = match kept {
            Ok(kept) => kept,
            Err(error) => return TileAnswer::Unreadable(error.to_string()),
        };
        let now_s = wall_now().0 / 1_000;
        if let Some(tile) = kept.as_ref().filter(|tile| now_s - tile.at_s < FRESH_S) {
            return self.answer(&tile.bytes);
        }
        match (self.fetch(z, x, y, now_s).await, kept) {
            (Ok(Some(bytes)), _) => self.answer(&bytes),
            (Ok(None), _) => TileAnswer::Beyond,
            // What was seen once is better than nothing.
            (Err(_), Some(tile)) => self.answer(&tile.bytes),
            (Err(why), None) => TileAnswer::Later(why),
        }
    }

    async fn fetch(&self, z: u8, x: u32, y: u32, now_s: i64) -> Result<Option<Vec<u8>>, String> {
        self.rested()?;
        let _waits = self.waiting.try_acquire().map_err(|_| "too many tiles are asked for at once")?;
        let _goes = self.right.acquire().await.map_err(|error| error.to_string())?;
        // Whoever went before may have found out meanwhile.
        self.rested()?;
        let behind = self.behind();
        let got = match self.fetcher.get(&behind.address(z, x, y), TILE_MAX_BYTES as usize).await {
            Ok(got) => got,
            Err(error) => {
                // What is wrong with one tile says nothing of the others.
                let is_of_server = matches!(
                    error,
                    FetchError::Unreached { .. }
                        | FetchError::Untrusted(_)
                        | FetchError::Near(_)
                        | FetchError::Slow { .. }
                );
                return Err(self.unwell(capital(error), if is_of_server { REST } else { Duration::ZERO }));
            }
        };
        if matches!(got.status, 401 | 403 | 429 | 500..=599) {
            let rest = got.after_ms.map_or(REST, |ms| Duration::from_millis(ms).clamp(REST, REST_MAX));
            return Err(match answered(&behind.host(), got) {
                Err(why) => self.unwell(why, rest),
                Ok(got) => format!("{} answers {}", behind.host(), got.status),
            });
        }
        // A rest that another tile began is kept.
        self.fault().take_if(|fault| fault.until <= Instant::now());
        if matches!(got.status, 204 | 404) {
            return Ok(None);
        }
        let got = answered(&behind.host(), got)?;
        let tile = content(&got)?;
        match self.format {
            TileFormat::Vector if tile.trim_ascii_start().starts_with(b"<") => {
                return Err("the server sends a page instead of a tile".into());
            }
            TileFormat::Vector => {}
            picture @ (TileFormat::Png | TileFormat::Jpeg | TileFormat::Webp) => drop(side_px(picture, &tile)?),
        }
        let kept = KeptTile { bytes: got.bytes, at_s: now_s };
        if let Err(error) = tokio::task::block_in_place(|| self.kept.put(z, x, y, &kept)) {
            // It is seen now; another time it is fetched again.
            tracing::warn!(%error, "a tile is not kept");
        }
        Ok(Some(kept.bytes))
    }

    /// Fails while nothing is asked for.
    fn rested(&self) -> Result<(), String> {
        match self.fault().as_ref() {
            Some(fault) if Instant::now() < fault.until => Err(fault.why.clone()),
            Some(_) | None => Ok(()),
        }
    }

    /// Remembers why a tile did not come; nothing is asked for so long.
    fn unwell(&self, why: String, rest: Duration) -> String {
        tracing::info!(%why, "a tile of the map is not fetched");
        let now = Instant::now();
        let mut fault = self.fault();
        // A longer rest goes on, for its own reason.
        if fault.as_ref().is_none_or(|before| before.until <= now + rest) {
            *fault = Some(Unwell { why: why.clone(), until: now + rest });
        }
        why
    }

    fn fault(&self) -> MutexGuard<'_, Option<Unwell>> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, bytes: &[u8]) -> TileAnswer {
        match unzip(bytes) {
            Ok(bytes) => TileAnswer::Tile { bytes, media: self.format.media_type() },
            Err(error) => TileAnswer::Unreadable(error.to_string()),
        }
    }

    fn behind(&self) -> Behind {
        Behind {
            template: self.template.clone(),
            tms: self.tms,
            near: false,
            name: String::new(),
            metadata: Metadata::default(),
        }
    }
}

/// What was answered, if that is something.
fn answered(host: &str, got: Got) -> Result<Got, String> {
    if let Some(elsewhere) = &got.elsewhere {
        let to = if elsewhere.is_empty() { String::new() } else { format!(" to {elsewhere}") };
        return Err(format!("{host} sends elsewhere{to} ({}); write the address that it leads to", got.status));
    }
    match got.status {
        200 => Ok(got),
        401 | 403 => Err(format!("{host} refuses it ({}); look whether the address needs a key", got.status)),
        404 => Err(format!("{host} has nothing at this address (404)")),
        status => Err(format!("{host} answers {status}")),
    }
}

fn word(format: TileFormat) -> &'static str {
    match format {
        TileFormat::Vector => "vector",
        TileFormat::Png => "png",
        TileFormat::Jpeg => "jpeg",
        TileFormat::Webp => "webp",
    }
}

fn capital(error: impl std::fmt::Display) -> String {
    let words = error.to_string();
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn content(got: &Got) -> Result<Vec<u8>, String> {
    unzip(&got.bytes).map_err(|error| format!("what came cannot be read: {error}"))
}
