// The countries of the world as Natural Earth draws them (public domain), in the TopoJSON of the npm package world-atlas.

const ADDRESS = new URL("../vendor/world-atlas/countries-110m.json", import.meta.url);

let known;

/** The countries as GeoJSON: a polygon or several, and a point with `name` and `size` (a share of the largest) for its label. */
export function world() {
  known ??= read().catch((error) => {
    known = undefined;
    throw error;
  });
  return known;
}

async function read() {
  const answer = await fetch(ADDRESS);
  if (!answer.ok) throw new Error(`${ADDRESS.pathname}: ${answer.status}`);
  const topology = await answer.json();
  const arcs = topology.arcs.map((arc) => absolute(arc, topology.transform));
  const features = topology.objects.countries.geometries.flatMap((country) => {
    const polygons = { Polygon: [country.arcs], MultiPolygon: country.arcs }[country.type] ?? [];
    const rings = polygons.map((polygon) => polygon.map((ring) => joined(ring, arcs)));
    if (rings.length === 0) return [];
    const sizes = rings.map(([outer]) => Math.abs(area(outer)));
    const [outer] = rings[sizes.indexOf(Math.max(...sizes))];
    return [
      { type: "Feature", properties: {}, geometry: { type: "MultiPolygon", coordinates: rings } },
      {
        type: "Feature",
        properties: { name: country.properties.name, size: Math.max(...sizes) },
        geometry: { type: "Point", coordinates: middle(outer) },
      },
    ];
  });
  return { type: "FeatureCollection", features };
}

/** An arc's positions: TopoJSON writes each as the difference to the one before. */
function absolute(arc, { scale, translate }) {
  let [x, y] = [0, 0];
  return arc.map(([dx, dy]) => [(x += dx) * scale[0] + translate[0], (y += dy) * scale[1] + translate[1]]);
}

/** A ring out of its arcs, of which a negative one is walked backwards; it goes on beyond the antimeridian instead of jumping back. */
function joined(numbers, arcs) {
  const ring = numbers.flatMap((number, place) => {
    const arc = number < 0 ? [...arcs[~number]].reverse() : arcs[number];
    return place === 0 ? arc : arc.slice(1);
  });
  let turn = 0;
  const straight = ring.map(([x, y], place) => {
    const before = place === 0 ? x : ring[place - 1][0];
    if (x - before > 180) turn -= 360;
    if (before - x > 180) turn += 360;
    return [x + turn, y];
  });
  // Around a pole it does not come back to where it began.
  const [first, last] = [straight[0], straight.at(-1)];
  return Math.abs(first[0] - last[0]) > 180 ? [...straight, [last[0], -90], [first[0], -90], first] : straight;
}

/** Twice the area of a ring in square degrees, its sign saying how it turns. */
function area(ring) {
  return ring.reduce((sum, [x, y], place) => {
    const [nextX, nextY] = ring[(place + 1) % ring.length];
    return sum + x * nextY - nextX * y;
  }, 0);
}

/** The centre of gravity of a ring. */
function middle(ring) {
  const whole = area(ring);
  const sum = ring.reduce(
    ([sumX, sumY], [x, y], place) => {
      const [nextX, nextY] = ring[(place + 1) % ring.length];
      const part = x * nextY - nextX * y;
      return [sumX + (x + nextX) * part, sumY + (y + nextY) * part];
    },
    [0, 0],
  );
  return whole === 0 ? ring[0] : sum.map((value) => value / (3 * whole));
}
