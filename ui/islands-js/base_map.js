// The base map over the OpenMapTiles schema: a ground that lets live things speak. Colours are the tokens of styles/tokens.css.

const SOURCE = "base";

// What the tiles cover: west, south, east, north. Around it everything is sea.
const COVERED = [14.15, 35.78, 14.6, 36.1];

function palette() {
  const tokens = getComputedStyle(document.documentElement);
  const colour = (name) => tokens.getPropertyValue(`--map-${name}`).trim();
  const names = ["land", "water", "green", "build", "minor", "road", "major", "label", "place", "halo"];
  return Object.fromEntries(names.map((name) => [name, colour(name)]));
}

const width = (from, to) => ["interpolate", ["exponential", 1.6], ["zoom"], 10, from, 16, to];
const classes = (...names) => ["in", ["get", "class"], ["literal", names]];
const line = { "line-cap": "round", "line-join": "round" };

/** A sheet over the world with a hole where the tiles are. */
function beyond() {
  const [west, south, east, north] = COVERED;
  const ring = (w, s, e, n) => [[w, s], [e, s], [e, n], [w, n], [w, s]];
  const coordinates = [ring(-180, -85, 180, 85), ring(west, south, east, north).reverse()];
  return { type: "geojson", data: { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates } } };
}

function layers(c) {
  const road = (id, of, colour, from, to, rest = {}) => ({
    id,
    type: "line",
    source: SOURCE,
    "source-layer": "transportation",
    filter: classes(...of),
    layout: line,
    paint: { "line-color": colour, "line-width": width(from, to) },
    ...rest,
  });
  const fill = (id, layer, paint, rest = {}) => ({ id, type: "fill", source: SOURCE, "source-layer": layer, paint, ...rest });
  const text = { "text-field": ["coalesce", ["get", "name:latin"], ["get", "name"]], "text-font": ["Inter Variable"] };
  return [
    { id: "ground", type: "background", paint: { "background-color": c.land } },
    fill("green", "park", { "fill-color": c.green }),
    fill("cover", "landcover", { "fill-color": c.green, "fill-opacity": 0.6 }),
    fill("water", "water", { "fill-color": c.water }),
    { id: "beyond", type: "fill", source: "beyond", paint: { "fill-color": c.water, "fill-antialias": false } },
    fill(
      "building",
      "building",
      { "fill-color": c.build, "fill-opacity": ["interpolate", ["linear"], ["zoom"], 13, 0, 14.5, 1] },
      { minzoom: 13 },
    ),
    road("road-minor", ["minor", "service", "track"], c.minor, 0.3, 7, { minzoom: 12 }),
    road("road", ["secondary", "tertiary"], c.road, 0.7, 11),
    road("road-major", ["motorway", "trunk", "primary"], c.major, 1, 14),
    {
      id: "road-label",
      type: "symbol",
      source: SOURCE,
      "source-layer": "transportation_name",
      minzoom: 14,
      filter: ["!=", ["get", "class"], "ferry"],
      layout: { ...text, "symbol-placement": "line", "text-size": 10.5 },
      paint: { "text-color": c.label, "text-halo-color": c.halo, "text-halo-width": 1.2 },
    },
    {
      id: "place",
      type: "symbol",
      source: SOURCE,
      "source-layer": "place",
      layout: { ...text, "text-size": ["interpolate", ["linear"], ["zoom"], 10, 11, 15, 14], "text-letter-spacing": 0.04 },
      paint: { "text-color": c.place, "text-halo-color": c.halo, "text-halo-width": 1.4 },
    },
  ];
}

/** The whole style in the current theme; `tiles` is an address with {z}, {x} and {y}. */
export function style(tiles) {
  const base = { type: "vector", tiles: [tiles], minzoom: 6, maxzoom: 14, attribution: "© OpenStreetMap contributors" };
  return { version: 8, sources: { [SOURCE]: base, beyond: beyond() }, layers: layers(palette()) };
}

/** Gives a drawn map the colours of the current theme without touching its sources or the live layer. */
export function recolour(map) {
  for (const { id, paint } of layers(palette())) {
    for (const [property, value] of Object.entries(paint)) map.setPaintProperty(id, property, value);
  }
}
