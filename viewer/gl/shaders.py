"""The programs that run on the graphics card, in GLSL 3.30: what macOS still offers."""

POINTS = (
    """
#version 330
uniform mat4 clip_from_ego;
uniform float size_px;
in vec3 place;
in vec4 colour;
out vec4 tint;
void main() {
    gl_Position = clip_from_ego * vec4(place, 1.0);
    gl_PointSize = size_px;
    tint = colour;
}
""",
    """
#version 330
in vec4 tint;
out vec4 shown;
void main() { shown = tint; }
""",
)

# Core profiles draw no wide lines: each becomes two triangles as wide as it should be, cut off at the eye.
LINES = (
    """
#version 330
uniform mat4 clip_from_ego;
uniform vec2 size_px;
in vec3 start;
in vec3 end;
in vec4 colour;
in float width_px;
out vec4 tint;
const float NEAR = 0.05;
void main() {
    vec4 a = clip_from_ego * vec4(start, 1.0), b = clip_from_ego * vec4(end, 1.0);
    tint = colour;
    if (a.w < NEAR && b.w < NEAR) { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); return; }
    if (a.w < NEAR) a = mix(a, b, (NEAR - a.w) / (b.w - a.w));
    if (b.w < NEAR) b = mix(b, a, (NEAR - b.w) / (a.w - b.w));
    vec2 way = (b.xy / b.w - a.xy / a.w) * size_px;
    vec2 along = length(way) > 1e-6 ? normalize(way) : vec2(1.0, 0.0);
    vec2 across = vec2(-along.y, along.x) * width_px / size_px;
    int k = gl_VertexID % 6;
    bool late = k == 1 || k == 2 || k == 4;
    float side = (k == 2 || k == 4 || k == 5) ? 1.0 : -1.0;
    vec4 at = late ? b : a;
    gl_Position = at + vec4(across * side * at.w, -2e-4 * at.w, 0.0);
}
""",
    POINTS[1],
)

FACES = (
    """
#version 330
uniform mat4 clip_from_ego;
in vec3 place;
in vec4 colour;
out vec4 tint;
void main() {
    gl_Position = clip_from_ego * vec4(place, 1.0);
    tint = colour;
}
""",
    POINTS[1],
)

# One triangle over the whole pane; what lies nowhere leaves the background as it is.
LAYER = (
    """
#version 330
void main() {
    vec2 corner = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
    gl_Position = vec4(corner, 0.0, 1.0);
}
""",
    """
#version 330
uniform sampler2D colours;
uniform sampler2D depths;
uniform ivec2 corner;
out vec4 shown;
void main() {
    ivec2 place = ivec2(gl_FragCoord.xy) - corner;
    float depth = texelFetch(depths, place, 0).r;
    if (depth >= 1.0) discard;
    gl_FragDepth = depth;
    shown = texelFetch(colours, place, 0);
}
""",
)
