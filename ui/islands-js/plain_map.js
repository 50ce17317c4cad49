// The map of a machine without WebGL (docs/adr/0019-ground-without-a-card.md): Leaflet moves pictures of the ground that the host drew. It
// answers to those words of MapLibre that the window uses, so that the window knows one map. What lives on it is painted in Rust.

import "../vendor/leaflet/leaflet.js";
import { OUTLINES_END, palette, sheets } from "./base_map.js";

const L = globalThis.L;

// A tile is as large as the vector tile it is made of, so a zoom is what MapLibre means by it.
const SIDE_PX = 512;
const CRS = L.extend({}, L.CRS.EPSG3857, { scale: (zoom) => SIDE_PX * 2 ** zoom, zoom: (scale) => Math.log2(scale / SIDE_PX) });

// How often a tile is asked for again that the host had no time for, and after how long.
const TRIES = 8;
const AGAIN_MS = 700;

const Pictures = L.GridLayer.extend({
  initialize(address, options) {
    this.address = address;
    L.GridLayer.prototype.initialize.call(this, options);
    this.on("tileunload", ({ tile }) => tile.unwanted.abort());
  },

  getEvents() {
    const { viewprereset: _, ...events } = L.GridLayer.prototype.getEvents.call(this);
    // With it all tiles go at each zoom; without it those of before stay, larger or smaller, until there are others.
    return events;
  },

  createTile({ x, y, z }, done) {
    const tile = document.createElement("img");
    tile.alt = "";
    tile.unwanted = new AbortController();
    const { theme } = document.documentElement.dataset;
    const level = z + this.options.deeper;
    const address = this.address.replace("{theme}", theme).replace("{z}", level).replace("{x}", x).replace("{y}", y);
    this.fill(tile, address).then(
      () => done(null, tile),
      (error) => tile.unwanted.signal.aborted || done(error, tile),
    );
    return tile;
  },

  async fill(tile, address) {
    const { signal } = tile.unwanted;
    for (let tries = 1; ; tries++) {
      const answer = await fetch(address, { signal });
      if (answer.status === 204) return;
      if (answer.ok) {
        const picture = URL.createObjectURL(await answer.blob());
        try {
          tile.src = picture;
          await tile.decode();
        } finally {
          URL.revokeObjectURL(picture);
        }
        return;
      }
      const why = await answer.text();
      if (answer.status === 501) this.fire("never", { words: why });
      if (answer.status !== 503 || tries === TRIES) throw new Error(why);
      await new Promise((go) => setTimeout(go, AGAIN_MS * tries));
      signal.throwIfAborted();
    }
  },
});

/** See there for `options`: those that MapLibre is made with, and `pictures`, an address with {theme}, {z}, {x} and {y}; `set` as for its style. */
export class PlainMap {
  constructor(options) {
    this.ears = new Map();
    this.set = options.set;
    const map = L.map(options.container, {
      crs: CRS,
      center: [options.center[1], options.center[0]],
      zoom: Math.floor(options.zoom),
      minZoom: options.minZoom,
      maxZoom: options.maxZoom,
      zoomControl: false,
      attributionControl: false,
      boxZoom: false,
      // What is painted over it would not go along.
      zoomAnimation: false,
      fadeAnimation: false,
      markerZoomAnimation: false,
      maxBounds: [[-85.06, -180], [85.06, 180]],
    });
    this.map = map;
    const container = map.getContainer();
    container.classList.add("ground-plain");
    container.setAttribute("role", "region");
    container.setAttribute("aria-label", "Map");
    for (const name of ["world", "sheets"]) map.createPane(name).style.zIndex = name === "world" ? 120 : 150;
    this.ground(options.pictures);
    this.follow(container);
    L.control.attribution({ prefix: false }).addAttribution(escaped(this.set.attribution)).addTo(map);
    this.tint();
    requestAnimationFrame(() => {
      this.say("style.load");
      if (!this.pictures.isLoading()) this.whole();
    });
  }

  ground(address) {
    const { bounds, minzoom, maxzoom, rasterPx } = this.set;
    const box = bounds && L.latLngBounds([bounds[1], bounds[0]], [bounds[3], bounds[2]]);
    // Of a map that is pictures itself a smaller tile is one of a deeper zoom, and there are no more than it has.
    const deeper = rasterPx ? Math.log2(SIDE_PX / rasterPx) : 0;
    const native = rasterPx ? { minNativeZoom: minzoom - deeper, maxNativeZoom: maxzoom - deeper } : {};
    if (rasterPx) this.map.getContainer().classList.add("ground-pictures");
    this.pictures = new Pictures(address, {
      tileSize: rasterPx || SIDE_PX,
      deeper,
      ...native,
      minZoom: Math.max(0, minzoom - deeper),
      bounds: box,
      noWrap: true,
      updateWhenIdle: true,
      updateWhenZooming: false,
    });
    this.pictures.on("load", () => this.whole());
    this.pictures.on("tileload tileerror", () => this.triggerRepaint());
    this.pictures.once("never", ({ words }) => {
      this.isGroundless = true;
      this.say("groundless", { words });
      this.pictures.remove();
      this.whole();
    });
    this.pictures.addTo(this.map);
    const shape = { interactive: false, stroke: false, fillOpacity: 1 };
    this.land = L.geoJSON(sheets(this.set), { pane: "sheets", style: { ...shape } }).addTo(this.map);
    this.world = L.geoJSON(undefined, { pane: "world", filter: ({ geometry }) => geometry.type !== "Point", style: { ...shape } });
    this.world.addTo(this.map);
    this.lines = L.geoJSON(undefined, { interactive: false, pointToLayer: named }).addTo(this.map);
  }

  /** Hands on what Leaflet tells, in MapLibre's words. */
  follow(container) {
    const { map } = this;
    // Leaflet does not say who moves it.
    for (const name of ["pointerdown", "wheel", "keydown", "dblclick", "touchstart"]) {
      container.addEventListener(name, (event) => (this.by = event), { capture: true, passive: true });
    }
    // Leaflet goes three zooms at once with Shift, which + needs on many keyboards.
    const step = (event) => {
      const by = { "+": 1, "=": 1, "-": -1, _: -1 }[event.key];
      if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      map.setZoom(map.getZoom() + by);
    };
    container.addEventListener("keydown", step, { capture: true });
    map.on("movestart", () => this.say("movestart", { originalEvent: this.by }));
    map.on("moveend", () => this.say("moveend"));
    map.on("zoomend", () => {
      this.tint();
      this.say("zoom");
    });
    map.on("move zoom", () => {
      this.say("move");
      this.say("render");
    });
    map.on("resize", () => {
      this.say("resize");
      this.say("render");
    });
    const at = ({ containerPoint: { x, y } }) => ({ point: { x, y } });
    for (const name of ["mousemove", "click"]) map.on(name, (event) => this.say(name, at(event)));
    map.on("mouseout", () => this.say("mouseout"));
  }

  /** The colours of the theme, and what is seen at this zoom. */
  tint() {
    const colours = palette();
    const isFar = this.map.getZoom() < OUTLINES_END;
    this.map.getContainer().style.background = isFar ? colours.water : colours.land;
    this.world.setStyle({ fillColor: colours.land, fillOpacity: isFar ? 1 : 0 });
    this.land.setStyle(({ properties: { of } }) => {
      const isSeen = this.isGroundShown !== false && (of === "land" ? isFar : this.map.getZoom() >= this.set.minzoom);
      return { fillColor: of === "land" ? colours.land : colours.water, fillOpacity: isSeen ? 1 : 0 };
    });
    this.lines.setStyle({ color: colours.line, weight: 1 });
  }

  /** With the ground or without it. */
  showGround(shown) {
    this.isGroundShown = shown;
    if (this.isGroundless) return;
    if (shown) this.pictures.addTo(this.map);
    else this.pictures.remove();
    this.tint();
    this.triggerRepaint();
  }

  /** Another theme. */
  recolour() {
    this.tint();
    // Other people's pictures have one set of colours.
    if (!this.set.rasterPx) this.pictures.redraw();
  }

  whole() {
    if (!this.isWhole) {
      this.isWhole = true;
      this.say("load");
    }
    this.triggerRepaint();
  }

  say(name, event = {}) {
    for (const ear of this.ears.get(name) ?? []) ear(event);
  }

  on(name, ear) {
    this.ears.set(name, [...(this.ears.get(name) ?? []), ear]);
  }

  off(name, ear) {
    this.ears.set(name, (this.ears.get(name) ?? []).filter((known) => known !== ear));
  }

  getSource(name) {
    const layer = { graticule: this.lines, world: this.world }[name];
    return layer && { setData: (data) => (layer.clearLayers().addData(data), this.tint()) };
  }

  areTilesLoaded() {
    return !this.pictures.isLoading();
  }

  triggerRepaint() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.say("render");
    });
  }

  getCenter() {
    return this.map.getCenter();
  }

  getZoom() {
    return this.map.getZoom();
  }

  getContainer() {
    return this.map.getContainer();
  }

  getCanvas() {
    return this.map.getContainer();
  }

  easeTo({ center: [lng, lat], zoom, offset: [x, y] = [0, 0] }) {
    // Pictures are sharp at whole zooms; farther away everything that was to be seen is.
    const whole = Math.floor(zoom + 0.001);
    const middle = this.map.project([lat, lng], whole).subtract([x, y]);
    this.jump(this.map.unproject(middle, whole), whole);
  }

  jumpTo({ center: [lng, lat], zoom }) {
    this.jump([lat, lng], Math.floor(zoom + 0.001));
  }

  jump(center, zoom) {
    this.by = undefined;
    this.map.setView(center, zoom, { animate: false });
  }

  zoomIn() {
    this.map.zoomIn(1);
  }

  zoomOut() {
    this.map.zoomOut(1);
  }

  resize() {
    this.map.invalidateSize({ animate: false, pan: false });
  }

  remove() {
    this.ears.clear();
    cancelAnimationFrame(this.frame);
    const container = this.map.getContainer();
    this.map.remove();
    container.classList.remove("ground-plain", "ground-pictures");
    container.replaceChildren();
  }

  get touchZoomRotate() {
    return { disableRotation() {} };
  }

  get keyboard() {
    return { disableRotation() {} };
  }
}

function named({ properties }, at) {
  const icon = L.divIcon({ className: "ground-line-name", html: escaped(properties.label), iconSize: [80, 16] });
  return L.marker(at, { icon, interactive: false, keyboard: false });
}

function escaped(text) {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0)};`);
}
