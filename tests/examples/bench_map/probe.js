// Times what the page does without telling it: its socket's messages, its animation frames, its map. Put before the page's own scripts.
(() => {
  const ROW_BYTES = 16;
  const messages = [];
  const frames = [];
  const spent = (list, work) => {
    const at = performance.now();
    const made = work();
    list.push({ at, ms: performance.now() - at });
    return made;
  };
  const hears = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'onmessage');
  Object.defineProperty(WebSocket.prototype, 'onmessage', {
    set(ear) {
      hears.set.call(this, event => {
        spent(messages, () => ear(event));
        messages.at(-1).bytes = event.data.byteLength;
      });
    },
  });
  const turn = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = work => turn(now => spent(frames, () => work(now)));

  const times = list => {
    const sorted = list.toSorted((a, b) => a - b);
    const at = part => sorted.length ? sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] : -1;
    return { count: sorted.length, p50_ms: at(0.5), p95_ms: at(0.95), longest_ms: at(1) };
  };
  const pause = ms => new Promise(done => setTimeout(done, ms));
  const turns = async many => {
    for (let n = 0; n < many; n += 1) await new Promise(done => turn(done));
  };
  const idle = map => new Promise(done => { map.once('idle', done); map.triggerRepaint(); });

  let map;
  const centre = () => map.getCenter();

  /// The map of the page: whichever is asked to draw next.
  const begin = things => {
    window.bench.things = things;
    import(new URL('vendor/maplibre-gl/maplibre-gl.mjs', document.baseURI)).then(module => {
      const draws = module.Map.prototype.triggerRepaint;
      module.Map.prototype.triggerRepaint = function () {
        map ??= this;
        return draws.call(this);
      };
    });
  };
  const found = async () => {
    while (!map) await pause(50);
  };

  /// How long a picture takes whose map moves in every turn of the screen.
  const pan = async () => {
    await found();
    const at = centre();
    await idle(map);
    const gaps = [];
    let last = performance.now();
    for (let n = 0; n < 90; n += 1) {
      map.jumpTo({ center: [at.lng + 0.0002 * Math.sin(n / 5), at.lat + 0.0001 * Math.cos(n / 5)] });
      await turns(1);
      const now = performance.now();
      gaps.push(now - last);
      last = now;
    }
    map.jumpTo({ center: at });
    await idle(map);
    return times(gaps.slice(5));
  };

  /// From the parcel with all things, which comes when the map is back where they are, to the second turn after their picture.
  const first = async () => {
    await found();
    const at = centre();
    await idle(map);
    map.jumpTo({ center: [at.lng + 1.5, at.lat] });
    await pause(3000);
    messages.length = 0;
    map.jumpTo({ center: at });
    let whole;
    while (!(whole = messages.find(message => message.bytes > 20 * 1024))) await pause(1);
    await new Promise(done => { map.once('render', done); });
    await turns(2);
    return performance.now() - whole.at;
  };

  const changing = async ms => {
    await found();
    messages.length = 0;
    // What a frame cost is known after it; whether the map drew in it, in it.
    const drew = new Set();
    map.on('render', () => drew.add(frames.length));
    await pause(ms);
    const pictures = frames.filter((_, n) => drew.has(n)).map(frame => frame.ms);
    const updates = messages.filter(message => message.bytes > 10 * ROW_BYTES);
    const rows = updates.reduce((sum, message) => sum + message.bytes / ROW_BYTES, 0);
    return { updates: times(updates.map(message => message.ms)), pictures: times(pictures), rows_per_s: rows / ms * 1000 };
  };

  /// The same map without things: what is drawn over the ground goes.
  const bare = async () => {
    await found();
    for (const id of ['live-calm', 'live-loud']) if (map.getLayer(id)) map.removeLayer(id);
    return pan();
  };

  /// As many things at the places of ours.
  const city = turn => ({
    type: 'FeatureCollection',
    features: Array.from({ length: window.bench.things }, (_, n) => n + 1).map(thing => ({
      type: 'Feature', id: thing,
      properties: { level: thing % 100 === turn % 100 ? turn % 10 : 5 },
      geometry: { type: 'Point', coordinates: [14.48 + (thing % 400) / 8000, 35.88 + Math.floor(thing / 400) / 8000] },
    })),
  });

  const theirs = async cluster => {
    await found();
    const data = city(0);
    await idle(map);
    const began = performance.now();
    map.addSource('theirs', { type: 'geojson', data, cluster });
    map.addLayer({
      id: 'theirs', type: 'circle', source: 'theirs',
      paint: { 'circle-radius': 4, 'circle-color': ['case', ['>', ['coalesce', ['get', 'level'], 5], 5], '#e8a33d', '#8fa1b3'] },
    });
    await new Promise(done => map.once('idle', done));
    await turns(2);
    const first_ms = performance.now() - began;
    const updates = [];
    for (let n = 1; n <= 8; n += 1) {
      const changed = city(n);
      const at = performance.now();
      map.getSource('theirs').setData(changed);
      updates.push(performance.now() - at);
      await new Promise(done => map.once('idle', done));
    }
    const panned = await pan();
    map.removeLayer('theirs');
    map.removeSource('theirs');
    await idle(map);
    return { first_ms, updates: times(updates), pan: panned };
  };

  window.bench = { things: 0, begin, first, pan, changing, bare, theirs };
})();
