// The ground below the live things: tiles of the OpenMapTiles schema where there are some, else lines of latitude and longitude, and
// from afar the outlines of the world's countries. Colours are the tokens of styles/tokens.css.

import { world } from "./world.js";

const BASE = "base";

// Open sea for as far around Malta as one sees when its streets or its islands are looked at: west, south, east, north.
const SEA_AROUND_MALTA = [13, 33.6, 17.5, 36.55];

// The outlines are so coarse that they lie from here on.
export const OUTLINES_END = 5.5;

const NOTHING = { type: "FeatureCollection", features: [] };

/** The colours of the ground in the current theme. */
export function palette() {
  const tokens = getComputedStyle(document.documentElement);
  const colour = (name) => tokens.getPropertyValue(`--map-${name}`).trim();
  const names = ["land", "water", "green", "build", "minor", "road", "major", "label", "place", "halo", "line"];
  return Object.fromEntries(names.map((name) => [name, colour(name)]));
}

const width = (from, to) => ["interpolate", ["exponential", 1.6], ["zoom"], 10, from, 16, to];
const classes = (...names) => ["in", ["get", "class"], ["literal", names]];
const line = { "line-cap": "round", "line-join": "round" };
const isPoint = ["==", ["geometry-type"], "Point"];

/** How pictures are shown: a map that somebody else coloured must not outshine what lies on it. */
function pictures() {
  const isDark = document.documentElement.dataset.theme === "dark";
  return { "raster-saturation": isDark ? -0.5 : -0.25, "raster-brightness-max": isDark ? 0.6 : 1 };
}

/** Where the tiles lie, so that land is where they say no water; and, around Malta, the sea. */
export function sheets({ bounds, builtIn }) {
  if (!bounds) return NOTHING;
  const [west, south, east, north] = bounds;
  const ring = (w, s, e, n) => [[w, s], [e, s], [e, n], [w, n], [w, s]];
  const sheet = (of, coordinates) => ({ type: "Feature", properties: { of }, geometry: { type: "Polygon", coordinates } });
  const hole = ring(west, south, east, north);
  const features = [sheet("land", [hole])];
  if (builtIn) features.push(sheet("sea", [ring(...SEA_AROUND_MALTA), [...hole].reverse()]));
  return { type: "FeatureCollection", features };
}

function layers(c, minzoom = 0, isRaster = false) {
  const tiled = { source: BASE, minzoom };
  const road = (id, of, colour, from, to, rest = {}) => ({
    id,
    type: "line",
    ...tiled,
    "source-layer": "transportation",
    filter: classes(...of),
    layout: line,
    paint: { "line-color": colour, "line-width": width(from, to) },
    ...rest,
  });
  const fill = (id, layer, paint, rest = {}) => ({ id, type: "fill", ...tiled, "source-layer": layer, paint, ...rest });
  const sheet = (id, of, colour, range) => ({
    id,
    type: "fill",
    source: "sheets",
    ...range,
    filter: ["==", ["get", "of"], of],
    paint: { "fill-color": colour, "fill-antialias": false },
  });
  const font = { "text-font": ["Inter Variable"] };
  const text = { "text-field": ["coalesce", ["get", "name:latin"], ["get", "name"]], ...font };
  const outlines = { source: "world", maxzoom: OUTLINES_END };
  const shapes = (...all) => (isRaster ? [] : all);
  return [
    // From afar it is sea, on which the world's land lies; close by nobody knows, and it is plain.
    {
      id: "ground",
      type: "background",
      paint: { "background-color": ["interpolate", ["linear"], ["zoom"], OUTLINES_END - 1, c.water, OUTLINES_END, c.land] },
    },
    { id: "world", type: "fill", ...outlines, filter: ["!", isPoint], paint: { "fill-color": c.land, "fill-antialias": false } },
    {
      id: "world-line",
      type: "line",
      ...outlines,
      filter: ["!", isPoint],
      paint: {
        "line-color": c.line,
        "line-width": 1,
        "line-opacity": ["interpolate", ["linear"], ["zoom"], OUTLINES_END - 1, 1, OUTLINES_END, 0],
      },
    },
    // Close by the ground has that colour anyway.
    ...(minzoom < OUTLINES_END && !isRaster ? [sheet("tiled", "land", c.land, { minzoom, maxzoom: OUTLINES_END })] : []),
    ...(isRaster ? [{ id: "pictures", type: "raster", source: BASE, paint: pictures() }] : []),
    ...shapes(
      fill("green", "park", { "fill-color": c.green }),
      fill("cover", "landcover", { "fill-color": c.green, "fill-opacity": 0.6 }),
      fill("water", "water", { "fill-color": c.water }),
      sheet("beyond", "sea", c.water, { minzoom }),
      fill(
        "building",
        "building",
        { "fill-color": c.build, "fill-opacity": ["interpolate", ["linear"], ["zoom"], 13, 0, 14.5, 1] },
        { minzoom: 13 },
      ),
      road("road-minor", ["minor", "service", "track"], c.minor, 0.3, 7, { minzoom: 12 }),
      road("road", ["secondary", "tertiary"], c.road, 0.7, 11),
      road("road-major", ["motorway", "trunk", "primary"], c.major, 1, 14),
    ),
    { id: "graticule", type: "line", source: "graticule", filter: ["!", isPoint], paint: { "line-color": c.line, "line-width": 1 } },
    ...shapes({
      id: "road-label",
      type: "symbol",
      source: BASE,
      "source-layer": "transportation_name",
      minzoom: 14,
      filter: ["!=", ["get", "class"], "ferry"],
      layout: { ...text, "symbol-placement": "line", "text-size": 10.5 },
      paint: { "text-color": c.label, "text-halo-color": c.halo, "text-halo-width": 1.2 },
    }),
    {
      id: "graticule-label",
      type: "symbol",
      source: "graticule",
      filter: isPoint,
      layout: { "text-field": ["get", "label"], ...font, "text-size": 11, "text-padding": 12 },
      paint: { "text-color": c.place, "text-halo-color": c.halo, "text-halo-width": 2.5 },
    },
    {
      id: "country",
      type: "symbol",
      ...outlines,
      filter: isPoint,
      layout: { "text-field": ["get", "name"], ...font, "text-size": 12, "text-max-width": 7, "symbol-sort-key": ["-", ["get", "size"]] },
      paint: { "text-color": c.place, "text-halo-color": c.halo, "text-halo-width": 1.4 },
    },
    // What lies below the names of places is put before this one, which shows nothing.
    { id: "names", type: "background", layout: { visibility: "none" }, paint: {} },
    ...shapes({
      id: "place",
      type: "symbol",
      ...tiled,
      "source-layer": "place",
      layout: { ...text, "text-size": ["interpolate", ["linear"], ["zoom"], 10, 11, 15, 14], "text-letter-spacing": 0.04 },
      paint: { "text-color": c.place, "text-halo-color": c.halo, "text-halo-width": 1.4 },
    }),
  ];
}

/**
 * The whole style in the current theme. `tiles` is an address with {z}, {x} and {y}; `set` says what they cover: bounds (nothing for
 * anything), minzoom, maxzoom, attribution as plain text, whether they are the built-in ones of Malta, and of pictures rasterPx, the
 * side of one.
 */
export function style(tiles, set) {
  const escaped = set.attribution.replace(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0)};`);
  const kind = set.rasterPx ? { type: "raster", tileSize: set.rasterPx } : { type: "vector" };
  const base = { ...kind, tiles: [tiles], minzoom: set.minzoom, maxzoom: set.maxzoom, attribution: escaped };
  // Beyond them nothing is asked for.
  if (set.bounds) base.bounds = set.bounds;
  const geojson = (data) => ({ type: "geojson", data });
  return {
    version: 8,
    sources: { [BASE]: base, sheets: geojson(sheets(set)), graticule: geojson(NOTHING), world: geojson(NOTHING) },
    layers: layers(palette(), set.minzoom, Boolean(set.rasterPx)),
  };
}

/** Gives a drawn map the colours of the current theme without touching its sources or the live layer. */
export function recolour(map) {
  for (const { id, paint } of layers(palette(), 0, Boolean(map.getLayer("pictures")))) {
    if (!map.getLayer(id)) continue;
    for (const [property, value] of Object.entries(paint)) map.setPaintProperty(id, property, value);
  }
}

/** Shows or hides what the tiles draw; lines, things and the map itself stay. */
export function showGround(map, shown) {
  if (map.showGround) return map.showGround(shown);
  for (const { id, source } of map.getStyle()?.layers ?? []) {
    if (source === BASE || source === "sheets") map.setLayoutProperty(id, "visibility", shown ? "visible" : "none");
  }
}

/** Draws these lines and labels, GeoJSON as text. */
export function graticule(map, geojson) {
  map.getSource("graticule")?.setData(JSON.parse(geojson));
}

/** Draws the outlines of the world's countries once they are seen; until then they are not even read. */
export function outlines(map) {
  const look = async () => {
    if (map.getZoom() >= OUTLINES_END) return;
    map.off("zoom", look);
    try {
      const known = await world();
      map.getSource("world")?.setData(known);
    } catch (error) {
      console.warn("the world's outlines cannot be read", error);
    }
  };
  map.on("zoom", look);
  look();
}

/** What draws the map where there is no WebGL; nobody else loads it. */
export async function plainMap() {
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = new URL("../vendor/leaflet/leaflet.css", import.meta.url).href;
  const styled = new Promise((done) => (sheet.onload = sheet.onerror = done));
  // Before our own sheets, which have the last word.
  document.head.prepend(sheet);
  const [{ PlainMap }] = await Promise.all([import("./plain_map.js"), styled]);
  return PlainMap;
}
