/* canvas.c -- perilune.canvas: Cairo for perilune.plot, in a module of its own, so that all else does without Cairo.
**
**   canvas.open(width, height, scale) -> canvas     points; scale pixels make a point
**   k:line({ x1, y1, x2, y2, ... }, closed), k:rectangle(x, y, width, height), k:circle(x, y, radius)
**   k:paint(fill, stroke, width, dash)              the path since the last paint; colours 0xRRGGBBAA, 0: none;
**                                                   dash: nil or { on, off, ... }, at most 4
**   k:clip(x, y, width, height), k:unclip()
**   k:text(text, x, y, anchor, angle, family, size, bold, color)
**   k:measure(text, family, size, bold) -> advance, ascent, descent
**   k:image(png, x, y, width, height, smooth)
**   k:png() -> string                               raises when Cairo ran out of memory on the way
**
** Its caller is the library, which has checked what the user gave: errors here are luaL's.  It shares nothing with
** perilune.core, opens no files and keeps no state but its userdata. */
#include <lauxlib.h>
#include <lua.h>
#include <math.h>
#include <string.h>

#include "../canvas/canvas.h"

static const char canvas_type[] = "perilune.canvas";

__attribute__((visibility("default"))) int luaopen_perilune_canvas(lua_State *L);

static canvas *check_canvas(lua_State *L) {
  canvas *k = luaL_checkudata(L, 1, canvas_type);
  luaL_argcheck(L, k->surface != NULL, 1, "the canvas is closed");
  return k;
}

static canvas_color check_color(lua_State *L, int argument) { return (canvas_color)luaL_optinteger(L, argument, 0); }

static canvas_font check_font(lua_State *L, int first) {
  return (canvas_font){ .family = luaL_checkstring(L, first),
                        .size = luaL_checknumber(L, first + 1),
                        .bold = lua_toboolean(L, first + 2) };
}

static int close(lua_State *L) {
  canvas_close(luaL_checkudata(L, 1, canvas_type));
  return 0;
}

static int check_pixels(lua_State *L, int argument, double scale) {
  double pixels = ceil(luaL_checknumber(L, argument) * scale - 1e-6);
  luaL_argcheck(L, pixels >= 1.0 && pixels <= CANVAS_MAX_PIXELS, argument, "1 to 32767 pixels");
  return (int)pixels;
}

static int open(lua_State *L) {
  double scale = luaL_checknumber(L, 3);
  int width = check_pixels(L, 1, scale), height = check_pixels(L, 2, scale);
  canvas *k = lua_newuserdatauv(L, sizeof *k, 0);
  *k = (canvas){ NULL, NULL };
  luaL_setmetatable(L, canvas_type);
  canvas_open(k, width, height, scale);
  if (canvas_error(k) != NULL) return luaL_error(L, "canvas: %s", canvas_error(k));
  return 1;
}

/* -- paths -- */

/* The list's numbers in a userdata, which an error cannot leak; it stays on the stack. */
static double *check_numbers(lua_State *L, int argument, size_t *n) {
  luaL_checktype(L, argument, LUA_TTABLE);
  *n = lua_rawlen(L, argument);
  double *numbers = lua_newuserdatauv(L, (*n + 1) * sizeof *numbers, 0);
  for (size_t i = 0; i < *n; i++) {
    lua_rawgeti(L, argument, (lua_Integer)i + 1);
    numbers[i] = lua_tonumber(L, -1);
    lua_pop(L, 1);
  }
  return numbers;
}

static int line(lua_State *L) {
  canvas *k = check_canvas(L);
  size_t n;
  const double *points = check_numbers(L, 2, &n);
  canvas_line(k, n / 2, points, lua_toboolean(L, 3));
  return 0;
}

static int rectangle(lua_State *L) {
  canvas_rectangle(check_canvas(L), luaL_checknumber(L, 2), luaL_checknumber(L, 3), luaL_checknumber(L, 4),
                   luaL_checknumber(L, 5));
  return 0;
}

static int circle(lua_State *L) {
  canvas_circle(check_canvas(L), luaL_checknumber(L, 2), luaL_checknumber(L, 3), luaL_checknumber(L, 4));
  return 0;
}

static int paint(lua_State *L) {
  canvas *k = check_canvas(L);
  canvas_style style = { .fill = check_color(L, 2), .stroke = check_color(L, 3), .width = luaL_optnumber(L, 4, 1.0) };
  if (!lua_isnoneornil(L, 5)) {
    size_t n;
    const double *dash = check_numbers(L, 5, &n);
    luaL_argcheck(L, n <= sizeof style.dash / sizeof *style.dash, 5, "too many dashes");
    memcpy(style.dash, dash, n * sizeof *dash);
    style.n_dashes = (int)n;
  }
  canvas_paint(k, &style);
  return 0;
}

static int clip(lua_State *L) {
  canvas_clip(check_canvas(L), luaL_checknumber(L, 2), luaL_checknumber(L, 3), luaL_checknumber(L, 4),
              luaL_checknumber(L, 5));
  return 0;
}

static int unclip(lua_State *L) {
  canvas_unclip(check_canvas(L));
  return 0;
}

/* -- text -- */

static int text(lua_State *L) {
  canvas *k = check_canvas(L);
  const char *what = luaL_checkstring(L, 2);
  double x = luaL_checknumber(L, 3), y = luaL_checknumber(L, 4);
  double anchor = luaL_checknumber(L, 5), angle = luaL_checknumber(L, 6);
  canvas_font font = check_font(L, 7);
  canvas_text(k, &font, what, x, y, anchor, angle, check_color(L, 10));
  return 0;
}

static int measure(lua_State *L) {
  canvas *k = check_canvas(L);
  const char *what = luaL_checkstring(L, 2);
  canvas_font font = check_font(L, 3);
  canvas_extents extents = canvas_measure(k, &font, what);
  lua_pushnumber(L, extents.advance);
  lua_pushnumber(L, extents.ascent);
  lua_pushnumber(L, extents.descent);
  return 3;
}

/* -- pictures -- */

static int image(lua_State *L) {
  canvas *k = check_canvas(L);
  size_t n_bytes;
  const char *png = luaL_checklstring(L, 2, &n_bytes);
  double x = luaL_checknumber(L, 3), y = luaL_checknumber(L, 4);
  double width = luaL_checknumber(L, 5), height = luaL_checknumber(L, 6);
  bool fine = canvas_image(k, n_bytes, (const unsigned char *)png, x, y, width, height, lua_toboolean(L, 7));
  return fine ? 0 : luaL_error(L, "canvas: the picture is no PNG");
}

/* Bytes that grow in Lua's own memory, asked for without an error that would jump over Cairo. */
typedef struct bytes {
  lua_Alloc resize;
  void *user;
  unsigned char *data;
  size_t length, capacity;
} bytes;

static bool put(void *to, const unsigned char *from, size_t n_bytes) {
  bytes *b = to;
  if (n_bytes > b->capacity - b->length) {
    size_t capacity = 2 * b->capacity + n_bytes;
    unsigned char *data = b->resize(b->user, b->data, b->capacity, capacity);
    if (data == NULL) return false;
    b->data = data;
    b->capacity = capacity;
  }
  memcpy(b->data + b->length, from, n_bytes);
  b->length += n_bytes;
  return true;
}

static int let_go(lua_State *L) {
  bytes *b = lua_touserdata(L, 1);
  b->resize(b->user, b->data, b->capacity, 0);
  b->data = NULL;
  b->length = b->capacity = 0;
  return 0;
}

/* Pushes them, closed when the caller returns or raises. */
static bytes *new_bytes(lua_State *L) {
  bytes *b = lua_newuserdatauv(L, sizeof *b, 0);
  *b = (bytes){ .data = NULL };
  b->resize = lua_getallocf(L, &b->user);
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, let_go);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, let_go);
  lua_setfield(L, -2, "__close");
  lua_setmetatable(L, -2);
  lua_toclose(L, -1);
  return b;
}

static int png(lua_State *L) {
  canvas *k = check_canvas(L);
  if (canvas_error(k) != NULL) return luaL_error(L, "canvas: %s", canvas_error(k));
  bytes *b = new_bytes(L);
  if (!canvas_png(k, put, b)) return luaL_error(L, "canvas: not enough memory for the picture");
  lua_pushlstring(L, (const char *)b->data, b->length);
  return 1;
}

int luaopen_perilune_canvas(lua_State *L) {
  static const luaL_Reg methods[] = {
    { "line", line }, { "rectangle", rectangle }, { "circle", circle }, { "paint", paint }, { "clip", clip },
    { "unclip", unclip }, { "text", text }, { "measure", measure }, { "image", image }, { "png", png },
    { "__gc", close }, { "__close", close }, { NULL, NULL }
  };
  static const luaL_Reg functions[] = { { "open", open }, { NULL, NULL } };
  luaL_checkversion(L);
  luaL_newmetatable(L, canvas_type);
  luaL_setfuncs(L, methods, 0);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  luaL_newlib(L, functions);
  return 1;
}
