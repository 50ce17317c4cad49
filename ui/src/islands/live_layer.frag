#version 300 es
precision highp float;

// Shape before colour: a square is a car park, a dot a lamp, a bucket a bin, an upright post a charger, an arrow a vehicle, a cross a
// gateway; a triangle is a warning, a diamond critical, a hollow shape unknown. components/shape.rs has the same outlines for lists.
flat in uvec4 v_look;
flat in float v_half;
flat in float v_size;

uniform vec2 u_sizes;
uniform vec3 u_ok;
uniform vec3 u_lit;
uniform vec3 u_unknown;
uniform vec3 u_warn;
uniform vec3 u_crit;
uniform vec3 u_pending;
uniform vec3 u_accent;
uniform vec3 u_edge;

out vec4 o_colour;

const uint PARKING = 1u;
const uint LAMP = 2u;
const uint BIN = 3u;
const uint CHARGER = 4u;
const uint VEHICLE = 5u;
const uint GATEWAY = 6u;
const uint UNKNOWN = 1u;
const uint WARNING = 2u;
const uint CRITICAL = 3u;
const uint LEVEL_UNKNOWN = 255u;
const uint FLAG_PENDING = 1u;
const uint FLAG_PICKED = 32u;
const uint FLAG_SELECTED = 64u;
const uint FLAG_HOVERED = 128u;

float box(vec2 p, vec2 b, float r) {
  vec2 q = abs(p) - b + r;
  return min(max(q.x, q.y), 0.0) + length(max(q, 0.0)) - r;
}

float triangle(vec2 p, vec2 a, vec2 b, vec2 c) {
  vec2 e0 = b - a, e1 = c - b, e2 = a - c;
  vec2 v0 = p - a, v1 = p - b, v2 = p - c;
  vec2 d0 = v0 - e0 * clamp(dot(v0, e0) / dot(e0, e0), 0.0, 1.0);
  vec2 d1 = v1 - e1 * clamp(dot(v1, e1) / dot(e1, e1), 0.0, 1.0);
  vec2 d2 = v2 - e2 * clamp(dot(v2, e2) / dot(e2, e2), 0.0, 1.0);
  float s = sign(e0.x * e2.y - e0.y * e2.x);
  vec2 d = min(min(vec2(dot(d0, d0), s * (v0.x * e0.y - v0.y * e0.x)), vec2(dot(d1, d1), s * (v1.x * e1.y - v1.y * e1.x))),
               vec2(dot(d2, d2), s * (v2.x * e2.y - v2.y * e2.x)));
  return -sqrt(d.x) * sign(d.y);
}

// The part of a polygon's distance that one edge decides: squared distance, and the sign by how often a ray crosses it.
vec2 edge(vec2 p, vec2 a, vec2 b, vec2 d) {
  vec2 e = b - a, w = p - a;
  vec2 q = w - e * clamp(dot(w, e) / dot(e, e), 0.0, 1.0);
  bvec3 c = bvec3(p.y >= a.y, p.y < b.y, e.x * w.y > e.y * w.x);
  return vec2(min(d.x, dot(q, q)), all(c) || all(not(c)) ? -d.y : d.y);
}

float quad(vec2 p, vec2 a, vec2 b, vec2 c, vec2 d) {
  vec2 best = vec2(dot(p - a, p - a), 1.0);
  best = edge(p, a, d, best);
  best = edge(p, b, a, best);
  best = edge(p, c, b, best);
  best = edge(p, d, c, best);
  return best.y * sqrt(best.x);
}

// An arrow to where it heads: the level is the heading in steps of 3.6 degrees from north, clockwise. Without one it lies as a bar.
float vehicle(vec2 p, float s) {
  if (v_look.w == LEVEL_UNKNOWN) return box(p, vec2(0.85 * s, 0.45 * s), 0.45 * s);
  float turn = float(v_look.w) * 0.06283185307;
  p = mat2(cos(turn), -sin(turn), sin(turn), cos(turn)) * p;
  return quad(p, vec2(0.0, -1.05 * s), vec2(0.72 * s, 0.9 * s), vec2(0.0, 0.42 * s), vec2(-0.72 * s, 0.9 * s));
}

// Device pixels outside the shape; inside is negative. y grows downwards.
float shape(vec2 p, float s) {
  if (v_look.y == CRITICAL) return (abs(p.x) + abs(p.y) - s) * 0.70710678;
  if (v_look.y == WARNING) return triangle(p, vec2(0.0, -s), vec2(s, 0.8 * s), vec2(-s, 0.8 * s)) - 0.1 * s;
  if (v_look.x == LAMP) return length(p) - s;
  if (v_look.x == PARKING) return box(p, vec2(s), 0.4 * s);
  if (v_look.x == BIN) return quad(p, vec2(-s, -0.95 * s), vec2(s, -0.95 * s), vec2(0.6 * s, 0.95 * s), vec2(-0.6 * s, 0.95 * s));
  if (v_look.x == CHARGER) return box(p, vec2(0.52 * s, s), 0.52 * s);
  if (v_look.x == VEHICLE) return vehicle(p, s);
  if (v_look.x == GATEWAY) return min(box(p, vec2(0.34 * s, s), 0.1 * s), box(p, vec2(s, 0.34 * s), 0.1 * s));
  // Other things: a square on its point would be critical, so a softer square, a little smaller.
  return box(p, vec2(0.85 * s), 0.85 * s * 0.7);
}

// Lays a colour over what is there; alpha is premultiplied.
void over(vec3 colour, float alpha) {
  o_colour = vec4(colour * alpha, alpha) + o_colour * (1.0 - alpha);
}

float covers(float d) {
  return clamp(0.5 - d, 0.0, 1.0);
}

void main() {
  float px = u_sizes.y;
  vec2 p = (gl_PointCoord * 2.0 - 1.0) * v_half;
  float d = shape(p, v_size);
  o_colour = vec4(0.0);

  bool alarming = v_look.y == WARNING || v_look.y == CRITICAL;
  bool hollow = v_look.y == UNKNOWN;
  bool chosen = (v_look.z & (FLAG_PICKED | FLAG_SELECTED | FLAG_HOVERED)) != 0u;

  // A thin edge in the colour of the ground parts marks that lie on each other.
  over(u_edge, covers(d - 1.25 * px) * (hollow ? 0.75 : 0.9));

  if (hollow) {
    over(u_unknown, covers(abs(d + 0.2 * px) - 0.85 * px));
  } else if (alarming) {
    over(v_look.y == CRITICAL ? u_crit : u_warn, covers(d));
  } else {
    vec3 colour = u_ok;
    if (v_look.w != LEVEL_UNKNOWN) {
      float level = clamp(float(v_look.w) / 100.0, 0.0, 1.0);
      if (v_look.x == LAMP) {
        // A lamp that burns is a little brighter than one that does not.
        colour = mix(u_ok, u_lit, level);
      } else if ((v_look.x == PARKING || v_look.x == BIN || v_look.x == CHARGER) && v_size > 4.0 * px) {
        // A car park, a bin and a charger fill from below.
        float line = v_size * (1.0 - 2.0 * level);
        colour = mix(mix(u_ok, u_edge, 0.42), u_ok, clamp(p.y - line + 0.5, 0.0, 1.0));
      }
    }
    over(colour, covers(d) * 0.92);
  }

  if ((v_look.z & FLAG_PENDING) != 0u) {
    float r = v_size + 3.6 * px;
    float around = abs(length(p) - r) - 0.8 * px;
    float dash = step(0.42, fract(atan(p.y, p.x) / 6.2831853 * 9.0));
    over(u_pending, covers(around) * dash);
  }
  if (chosen) {
    float r = v_size + ((v_look.z & FLAG_PENDING) != 0u ? 7.0 : 5.4) * px;
    bool selected = (v_look.z & FLAG_SELECTED) != 0u;
    float around = abs(length(p) - r);
    over(u_edge, covers(around - 1.9 * px) * 0.8);
    over(u_accent, covers(around - (selected ? 1.1 : 0.7) * px));
  }
  if (o_colour.a == 0.0) discard;
}
