//! What is behind an address that somebody typed: tiles, a TileJSON or a style.

use super::*;

/// How long finding out what is behind an address may take.
const LOOK: Duration = Duration::from_secs(20);

/// How many sources of a style are looked at.
const SOURCES_MAX: usize = 8;

/// The largest TileJSON or style, in bytes.
const TEXT_MAX_BYTES: usize = 1024 * 1024;

/// A TileJSON (version 3), and a source of a style, which has the same names.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Source {
    #[serde(rename = "type")]
    kind: Option<String>,
    url: Option<String>,
    tiles: Vec<String>,
    name: Option<String>,
    scheme: Option<String>,
    attribution: Option<String>,
    minzoom: Option<u8>,
    maxzoom: Option<u8>,
    bounds: Option<[f64; 4]>,
    vector_layers: Vec<Layer>,
}

#[derive(Deserialize)]
struct Layer {
    id: String,
}

/// A style (MapLibre Style Specification, "Sources").
#[derive(Deserialize)]
struct Style {
    sources: serde_json::Map<String, serde_json::Value>,
}

/// Finds out what is behind an address. `near` lets it lie in this network. Fails in a sentence, which never repeats the address.
pub async fn look(draft: &OnlineDraft, near: bool, known_near: &[String]) -> Result<Behind, String> {
    let found = tokio::time::timeout(LOOK, found(draft, near, known_near)).await;
    found.unwrap_or_else(|_| Err("The server takes too long to answer".into()))
}

async fn found(draft: &OnlineDraft, near: bool, known_near: &[String]) -> Result<Behind, String> {
    let address = draft.address.trim();
    if address.is_empty() || address.len() > ADDRESS_MAX_BYTES {
        return Err("Type an address of tiles, of a TileJSON or of a style".into());
    }
    let place = server_and_port(&address.replace("{s}", "a")).map_err(capital)?;
    let near = near || known_near.contains(&place);
    let fetcher = Fetcher::new(near);
    let mut source = Source::default();
    let (mut base, mut near) = (address.to_owned(), near);
    if ["{z}", "{x}", "{y}"].iter().all(|part| address.contains(part)) {
        source.tiles.push(address.to_owned());
    } else if address.contains('{') {
        return Err("The address has not all of {z}, {x} and {y}, which stand for the number of a tile".into());
    } else {
        let (mut tried, mut looked_at) = (Vec::new(), 0);
        let got = text(&fetcher, address).await?;
        // What is on the internet leads to nothing in this network.
        near &= !got.is_public;
        let fetcher = Fetcher::new(near);
        match serde_json::from_slice::<Style>(&content(&got)?) {
            Err(_) => source = tile_json(&content(&got)?)?,
            Ok(style) => {
                for (name, value) in style.sources {
                    let Ok(mut found) = serde_json::from_value::<Source>(value) else { continue };
                    let kind = found.kind.take().unwrap_or_default();
                    if kind != "raster" && kind != "vector" {
                        tried.push(format!("{name} holds {kind}"));
                        continue;
                    }
                    if looked_at == SOURCES_MAX {
                        break;
                    }
                    looked_at += 1;
                    let mut near = near;
                    if let Some(url) = found.url.take() {
                        base = joined(address, &url).map_err(capital)?;
                        let got = text(&fetcher, &base).await?;
                        near &= !got.is_public;
                        found = tile_json(&content(&got)?)?;
                    }
                    match behind(&Fetcher::new(near), found, &base, draft, near).await {
                        Ok(behind) => return Ok(behind),
                        Err(why) => tried.push(format!("{name}: {why}")),
                    }
                }
                tried.truncate(3);
                return Err(format!("None of the style's sources can be shown ({})", tried.join("; ")));
            }
        }
    }
    behind(&Fetcher::new(near), source, &base, draft, near).await
}

/// Looks at one tile of a source.
async fn behind(
    fetcher: &Fetcher,
    source: Source,
    base: &str,
    draft: &OnlineDraft,
    near: bool,
) -> Result<Behind, String> {
    let template = source.tiles.first().ok_or("The TileJSON names no tiles")?;
    let template = match template.contains("{s}") {
        true => template.clone(),
        false => joined(base, template).map_err(capital)?,
    };
    let behind = Behind {
        name: source.name.as_deref().map(plain).unwrap_or_default(),
        tms: source.scheme.as_deref() == Some("tms"),
        near,
        metadata: Metadata {
            min_zoom: source.minzoom,
            max_zoom: source.maxzoom,
            bounds: source.bounds.and_then(sound),
            layers: source.vector_layers.into_iter().map(|layer| layer.id).collect(),
            attribution: source.attribution.filter(|text| !text.trim().is_empty()).or_else(|| whose(draft, &template)),
            ..Metadata::default()
        },
        template,
    };
    behind.measured(fetcher, draft.at).await
}

async fn text(fetcher: &Fetcher, address: &str) -> Result<Got, String> {
    let got = fetcher.get(address, TEXT_MAX_BYTES).await.map_err(capital)?;
    answered(&server(address).map_err(capital)?, got)
}

fn tile_json(text: &[u8]) -> Result<Source, String> {
    if text.trim_ascii_start().starts_with(b"<") {
        return Err("There is a page at this address, neither tiles nor a TileJSON nor a style".into());
    }
    let read: Result<Source, _> = serde_json::from_slice(text);
    match read {
        Ok(source) if !source.tiles.is_empty() => Ok(source),
        _ => {
            Err("What is at this address is neither a TileJSON nor a style; an address of tiles holds {z}, {x} and {y}"
                .into())
        }
    }
}

/// Whose data it is, where the server does not say.
fn whose(draft: &OnlineDraft, template: &str) -> Option<String> {
    let typed = Some(plain(draft.attribution.trim())).filter(|text| !text.is_empty());
    typed.or_else(|| template.contains("openstreetmap.org/").then(|| "© OpenStreetMap contributors".to_owned()))
}

fn sound([west_deg, south_deg, east_deg, north_deg]: [f64; 4]) -> Option<GeoBox> {
    let is_sound = west_deg < east_deg
        && south_deg < north_deg
        && west_deg >= -180.0
        && east_deg <= 180.0
        && south_deg >= -90.0
        && north_deg <= 90.0;
    is_sound.then_some(GeoBox { west_deg, south_deg, east_deg, north_deg })
}

/// The tile of a place (Web Mercator).
pub(super) fn number_at(at: LonLat, z: u8) -> (u8, u32, u32) {
    let across = f64::from(1_u32 << z.min(30));
    let lat = at.lat_deg.clamp(-85.0, 85.0).to_radians();
    let x = (at.lon_deg + 180.0) / 360.0 * across;
    let y = (1.0 - (lat.tan() + 1.0 / lat.cos()).ln() / std::f64::consts::PI) / 2.0 * across;
    (z, x.clamp(0.0, across - 1.0) as u32, y.clamp(0.0, across - 1.0) as u32)
}
