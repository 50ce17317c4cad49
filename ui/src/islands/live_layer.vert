#version 300 es
// One vertex a thing. Positions are mercator, relative to a local origin; see mercator.rs.
layout(location = 0) in vec2 a_position;
layout(location = 1) in uvec4 a_look; // kind, status, flags, level

uniform vec2 u_center;
uniform vec2 u_view_px;
uniform float u_scale_px;
uniform vec2 u_sizes; // size factor of the zoom, device pixels per CSS pixel

flat out uvec4 v_look;
flat out float v_half; // half of the point's side, device pixels
flat out float v_size; // the shape's own "radius", device pixels

// Kind::code as index: other, car park, lamp, bin, charger, vehicle, gateway.
const float SIZES[7] = float[7](5.0, 5.0, 3.4, 4.7, 5.2, 6.0, 5.6);
const uint WARNING = 2u;
const uint CRITICAL = 3u;

void main() {
  vec2 from_middle_px = (a_position - u_center) * u_scale_px;
  gl_Position = vec4(from_middle_px / (u_view_px * 0.5) * vec2(1.0, -1.0), 0.0, 1.0);

  float size = SIZES[min(a_look.x, 6u)];
  if (a_look.y == WARNING) size = 6.5;
  if (a_look.y == CRITICAL) size = 7.0;
  v_size = size * u_sizes.x * u_sizes.y;
  // Room for the rings where there are any; without them the points of a large city would mostly be empty.
  v_half = v_size + (a_look.z == 0u ? 2.5 : 10.5) * u_sizes.y;
  gl_PointSize = 2.0 * v_half;
  v_look = a_look;
}
