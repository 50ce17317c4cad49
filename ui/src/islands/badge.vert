#version 300 es
// One vertex a cluster; see badges.rs for its bytes. Positions are mercator, relative to a local origin.
layout(location = 0) in vec2 a_position;
layout(location = 1) in uvec4 a_look; // radius, look, signs of the count, signs of the tag
layout(location = 2) in uvec4 a_count;
layout(location = 3) in uvec4 a_tag;

uniform vec2 u_center;
uniform vec2 u_view_px;
uniform float u_scale_px;
uniform vec2 u_sizes; // unused here, device pixels per CSS pixel

flat out uvec4 v_look;
flat out uvec4 v_count;
flat out uvec4 v_tag;
flat out float v_half; // half of the point's side, device pixels

void main() {
  float px = u_sizes.y;
  // On whole device pixels, so that the signs are sharp.
  vec2 from_middle = floor((a_position - u_center) * u_scale_px * px + 0.5);
  gl_Position = vec4(from_middle / (u_view_px * px * 0.5) * vec2(1.0, -1.0), 0.0, 1.0);
  // A tag reaches out to the right; without one the point need not be larger than the badge and its rings.
  float reach = float(a_look.x) + (a_look.w == 0u ? 6.0 : 30.0);
  v_half = ceil(reach * px);
  gl_PointSize = 2.0 * v_half;
  v_look = a_look;
  v_count = a_count;
  v_tag = a_tag;
}
