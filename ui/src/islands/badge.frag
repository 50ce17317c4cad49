#version 300 es
precision highp float;

// A crowd of things as a badge: how many, and in a tag how many of them need a person, with the shape of the worst.
flat in uvec4 v_look;
flat in uvec4 v_count;
flat in uvec4 v_tag;
flat in float v_half;

uniform vec2 u_sizes;
uniform sampler2D u_signs;
uniform vec3 u_ok;
uniform vec3 u_unknown;
uniform vec3 u_warn;
uniform vec3 u_crit;
uniform vec3 u_pending;
uniform vec3 u_accent;
uniform vec3 u_edge;
uniform vec3 u_text;
uniform vec3 u_surface;

out vec4 o_colour;

const uint CRITICAL = 1u;
const uint UNKNOWN = 2u;
const uint PENDING = 4u;
const uint HOVERED = 8u;

const float SHEET_SIGNS = 14.0;
const vec2 SIGN_PX = vec2(12.0, 16.0);
const float ADVANCE_PX = 7.0;
const float POINT_PX = 3.5;
const uint POINT = 11u;
const uint FIRST_SHAPE = 12u;

float box(vec2 p, vec2 b, float r) {
  vec2 q = abs(p) - b + r;
  return min(max(q.x, q.y), 0.0) + length(max(q, 0.0)) - r;
}

void over(vec3 colour, float alpha) {
  o_colour = vec4(colour * alpha, alpha) + o_colour * (1.0 - alpha);
}

float covers(float d) {
  return clamp(0.5 - d, 0.0, 1.0);
}

float advance(uint sign) {
  if (sign == POINT) return POINT_PX;
  return sign >= FIRST_SHAPE ? 10.0 : ADVANCE_PX;
}

float width(uvec4 signs, uint count) {
  float w = 0.0;
  for (uint i = 0u; i < count; i++) w += advance(signs[i]);
  return w;
}

// How much of a pixel the signs cover; p in device pixels from where their middle is.
float text(vec2 p, uvec4 signs, uint count) {
  float px = u_sizes.y;
  float x = p.x / px + width(signs, count) * 0.5;
  float y = p.y / px + SIGN_PX.y * 0.5;
  if (y < 0.0 || y > SIGN_PX.y) return 0.0;
  float cover = 0.0;
  float from = 0.0;
  for (uint i = 0u; i < count; i++) {
    float step = advance(signs[i]);
    // Each sign stands in the middle of its cell, which is wider than the sign.
    float in_cell = x - from - step * 0.5 + SIGN_PX.x * 0.5;
    if (in_cell >= 0.0 && in_cell <= SIGN_PX.x) {
      vec2 at = vec2((float(signs[i]) * SIGN_PX.x + in_cell) / (SHEET_SIGNS * SIGN_PX.x), y / SIGN_PX.y);
      cover = max(cover, textureLod(u_signs, at, 0.0).a);
    }
    from += step;
  }
  return cover;
}

void main() {
  float px = u_sizes.y;
  vec2 p = (gl_PointCoord * 2.0 - 1.0) * v_half;
  float r = float(v_look.x) * px;
  float d = length(p) - r;
  o_colour = vec4(0.0);
  bool unknown = (v_look.y & UNKNOWN) != 0u;
  bool hovered = (v_look.y & HOVERED) != 0u;

  // The ground around it, then the badge: filled a little when calm, hollow when unknown.
  over(u_edge, covers(d - 2.0 * px) * 0.85);
  over(unknown ? u_edge : mix(u_surface, u_ok, 0.22), covers(d));
  float dash = unknown ? step(0.3, fract(atan(p.y, p.x) / 6.2831853 * 14.0)) : 1.0;
  over(unknown ? u_unknown : u_ok, covers(abs(d + 0.6 * px) - 0.6 * px) * dash);
  if ((v_look.y & PENDING) != 0u) {
    float dashes = step(0.42, fract(atan(p.y, p.x) / 6.2831853 * 12.0));
    over(u_pending, covers(abs(d - 1.6 * px) - 0.8 * px) * dashes);
  }
  if (hovered) over(u_accent, covers(abs(d - 2.4 * px) - 1.1 * px));
  over(u_text, text(p, v_count, v_look.z));

  if (v_look.w != 0u) {
    bool critical = (v_look.y & CRITICAL) != 0u;
    float half_width = (width(v_tag, v_look.w) * 0.5 + 3.0) * px;
    // Its left end lies on the badge's upper right.
    vec2 middle = floor(vec2(0.38 * r + half_width, -0.86 * r) + 0.5);
    vec2 q = p - middle;
    float tag = box(q, vec2(half_width, 7.0 * px), (critical ? 2.5 : 7.0) * px);
    over(u_edge, covers(tag - 1.5 * px));
    over(critical ? u_crit : u_warn, covers(tag));
    over(u_edge, text(q, v_tag, v_look.w));
  }
  if (o_colour.a == 0.0) discard;
}
