/* formats.c -- core.formats: files and strings to tensors and back.
**
** load_X(path), loads_X(string); save_X(path, ...), dumps_X(...); save_bytes(path, string).  What a file does wrong
** (bytes, paths, disks) comes back as nil, message; what the caller does wrong, and no memory, is raised.
** Everything that a call opens lies in one `job` userdata, closed at the end of the call and by __gc, so that
** a Lua error in between leaves no descriptor, block or temporary file behind. */
#include <string.h>

#include "../formats/idx.h"
#include "../formats/npy.h"
#include "../formats/png.h"
#include "../formats/safetensors.h"
#include "bind.h"

typedef struct job {
  context *context;
  stream in;
  writer out;
  safetensors_header header;
} job;

static const char job_type[] = "perilune.formats.job";

static void close_job(job *j) {
  stream_close(j->context, &j->in);
  writer_abandon(&j->out);
  safetensors_close(j->context, &j->header);
}

static int collect_job(lua_State *L) {
  close_job(luaL_checkudata(L, 1, job_type));
  return 0;
}

static job *new_job(lua_State *L, context *c) {
  job *j = lua_newuserdatauv(L, sizeof *j, 0);
  *j = (job){.context = c, .in = {.descriptor = -1}, .out = {.context = c, .descriptor = -1}};
  if (luaL_newmetatable(L, job_type)) {
    lua_pushcfunction(L, collect_job);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return j;
}

/* The last step of every function: n_results lie on top of the stack. */
static int finish(lua_State *L, job *j, status code, int n_results) {
  close_job(j);
  if (code == STATUS_FORMAT || code == STATUS_IO) return bind_failure(L);
  bind_check(L, code);
  return n_results;
}

static const char *check_string(lua_State *L, int argument, const char *what, size_t *length) {
  if (lua_type(L, argument) != LUA_TSTRING)
    bind_error(L, "%s is a %s, not a string", what, luaL_typename(L, argument));
  return lua_tolstring(L, argument, length);
}

/* A Lua string may contain a zero, at which the system would silently cut the path off. */
static status check_path(lua_State *L, const job *j, const char **path) {
  size_t length;
  *path = check_string(L, 1, "path", &length);
  if (strlen(*path) == length) return STATUS_OK;
  return context_fail(j->context, STATUS_IO, "'%.300s...': a path cannot contain a zero byte", *path);
}

static status open_input(lua_State *L, job *j, bool from_string) {
  const char *path;
  if (from_string) {
    size_t length;
    const char *text = check_string(L, 1, "data", &length);
    stream_open_memory(&j->in, text, length);
    return STATUS_OK;
  }
  status code = check_path(L, j, &path);
  return code == STATUS_OK ? stream_open(j->context, &j->in, path) : code;
}

static status open_output(lua_State *L, job *j, bool to_string) {
  const char *path = NULL;
  status code = to_string ? STATUS_OK : check_path(L, j, &path);
  return code == STATUS_OK ? writer_open(j->context, &j->out, path) : code;
}

/* true, or what was written as a string. */
static int finish_output(lua_State *L, job *j, status code, bool to_string) {
  if (code == STATUS_OK) code = writer_commit(&j->out);
  if (code == STATUS_OK && to_string) lua_pushlstring(L, (const char *)j->out.memory, j->out.length);
  else lua_pushboolean(L, true);
  return finish(L, j, code, 1);
}

/* save_bytes(path, string) */
static int save_bytes(lua_State *L) {
  context *c = bind_enter(L);
  size_t n_bytes;
  const char *from = check_string(L, 2, "data", &n_bytes);
  job *j = new_job(L, c);
  status code = open_output(L, j, false);
  if (code == STATUS_OK) code = writer_put(&j->out, from, n_bytes);
  return finish_output(L, j, code, false);
}

/* -- one tensor -- */

typedef status (*reader)(context *c, stream *s, tensor **out);

static int load_tensor(lua_State *L, reader read, bool from_string) {
  context *c = bind_enter(L);
  job *j = new_job(L, c);
  tensor **out = bind_new_tensor(L);
  status code = open_input(L, j, from_string);
  if (code == STATUS_OK) code = read(c, &j->in, out);
  return finish(L, j, code, 1);
}

static int load_idx(lua_State *L) { return load_tensor(L, idx_read, false); }
static int loads_idx(lua_State *L) { return load_tensor(L, idx_read, true); }
static int load_npy(lua_State *L) { return load_tensor(L, npy_read, false); }
static int loads_npy(lua_State *L) { return load_tensor(L, npy_read, true); }
static int load_png(lua_State *L) { return load_tensor(L, png_read_tensor, false); }
static int loads_png(lua_State *L) { return load_tensor(L, png_read_tensor, true); }

static int write_npy(lua_State *L, bool to_string) {
  context *c = bind_enter(L);
  const tensor *t = bind_check_tensor(L, to_string ? 1 : 2);
  job *j = new_job(L, c);
  status code = open_output(L, j, to_string);
  if (code == STATUS_OK) code = npy_write(&j->out, t);
  return finish_output(L, j, code, to_string);
}

static int save_npy(lua_State *L) { return write_npy(L, false); }
static int dumps_npy(lua_State *L) { return write_npy(L, true); }

/* save_png(path, tensor, bit_depth), dumps_png(tensor, bit_depth) */
static int write_png(lua_State *L, bool to_string) {
  context *c = bind_enter(L);
  int first = to_string ? 1 : 2;
  const tensor *t = bind_check_tensor(L, first);
  int bit_depth = (int)bind_check_integer(L, first + 1, "bit_depth", 8, 16);
  if (bit_depth != 8 && bit_depth != 16) bind_error(L, "image.save: bit_depth is %d, not 8 or 16", bit_depth);
  job *j = new_job(L, c);
  status code = open_output(L, j, to_string);
  if (code == STATUS_OK) code = png_write_tensor(&j->out, t, bit_depth);
  return finish_output(L, j, code, to_string);
}

static int save_png(lua_State *L) { return write_png(L, false); }
static int dumps_png(lua_State *L) { return write_png(L, true); }

/* -- safetensors -- */

/* Pushes { tensor, ... } and { name, ... }, in the order of the file. */
static status push_entries(lua_State *L, job *j) {
  int64_t n = j->header.n_entries;
  status code = STATUS_OK;
  lua_createtable(L, (int)n, 0);      /* n < 100 MB / 50 */
  lua_createtable(L, (int)n, 0);
  for (int64_t k = 0; k < n && code == STATUS_OK; k++) {
    tensor **out = bind_new_tensor(L);
    code = safetensors_read(j->context, &j->in, &j->header, k, out);
    lua_rawseti(L, -3, k + 1);
    lua_pushlstring(L, j->header.entries[k].name.data, j->header.entries[k].name.length);
    lua_rawseti(L, -2, k + 1);
  }
  return code;
}

static void push_metadata(lua_State *L, const safetensors_header *header) {
  lua_createtable(L, 0, (int)header->n_metadata);
  for (int64_t k = 0; k < header->n_metadata; k++) {
    const safetensors_pair *pair = &header->metadata[k];
    lua_pushlstring(L, pair->key.data, pair->key.length);
    lua_pushlstring(L, pair->value.data, pair->value.length);
    lua_rawset(L, -3);
  }
}

static int read_safetensors(lua_State *L, bool from_string) {
  context *c = bind_enter(L);
  job *j = new_job(L, c);
  status code = open_input(L, j, from_string);
  if (code == STATUS_OK) code = safetensors_open(c, &j->in, &j->header);
  if (code == STATUS_OK) code = push_entries(L, j);
  if (code == STATUS_OK) push_metadata(L, &j->header);
  return finish(L, j, code, 3);
}

static int load_safetensors(lua_State *L) { return read_safetensors(L, false); }
static int loads_safetensors(lua_State *L) { return read_safetensors(L, true); }

/* Item k of the list at `list`, which keeps the string alive. */
static json_string list_string(lua_State *L, int list, int64_t k, const char *what) {
  json_string s;
  lua_rawgeti(L, list, k);
  s.data = check_string(L, -1, what, &s.length);
  lua_pop(L, 1);
  return s;
}

static safetensors_item *check_items(lua_State *L, int names, int tensors, int64_t *n) {
  luaL_checktype(L, names, LUA_TTABLE);
  luaL_checktype(L, tensors, LUA_TTABLE);
  *n = (int64_t)lua_rawlen(L, names);
  safetensors_item *items = bind_scratch(L, (size_t)(*n + 1) * sizeof *items);
  for (int64_t k = 0; k < *n; k++) {
    items[k].name = list_string(L, names, k + 1, "a tensor's name");
    lua_rawgeti(L, tensors, k + 1);
    items[k].value = bind_check_tensor(L, lua_gettop(L));
    lua_pop(L, 1);
  }
  return items;
}

static safetensors_pair *check_metadata(lua_State *L, int keys, int values, int64_t *n) {
  luaL_checktype(L, keys, LUA_TTABLE);
  luaL_checktype(L, values, LUA_TTABLE);
  *n = (int64_t)lua_rawlen(L, keys);
  safetensors_pair *pairs = bind_scratch(L, (size_t)(*n + 1) * sizeof *pairs);
  for (int64_t k = 0; k < *n; k++) {
    pairs[k].key = list_string(L, keys, k + 1, "a metadata key");
    pairs[k].value = list_string(L, values, k + 1, "a metadata value");
  }
  return pairs;
}

/* save_safetensors(path, names, tensors, keys, values), dumps_safetensors(names, tensors, keys, values) */
static int write_safetensors(lua_State *L, bool to_string) {
  context *c = bind_enter(L);
  int first = to_string ? 1 : 2;
  int64_t n_items, n_metadata;
  safetensors_item *items = check_items(L, first, first + 1, &n_items);
  safetensors_pair *metadata = check_metadata(L, first + 2, first + 3, &n_metadata);
  job *j = new_job(L, c);
  status code = open_output(L, j, to_string);
  if (code == STATUS_OK) code = safetensors_write(&j->out, n_items, items, n_metadata, metadata);
  return finish_output(L, j, code, to_string);
}

static int save_safetensors(lua_State *L) { return write_safetensors(L, false); }
static int dumps_safetensors(lua_State *L) { return write_safetensors(L, true); }

void bind_formats(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"save_bytes", save_bytes},
    {"load_idx", load_idx}, {"loads_idx", loads_idx},
    {"load_npy", load_npy}, {"loads_npy", loads_npy}, {"save_npy", save_npy}, {"dumps_npy", dumps_npy},
    {"load_png", load_png}, {"loads_png", loads_png}, {"save_png", save_png}, {"dumps_png", dumps_png},
    {"load_safetensors", load_safetensors}, {"loads_safetensors", loads_safetensors},
    {"save_safetensors", save_safetensors}, {"dumps_safetensors", dumps_safetensors},
    {NULL, NULL},
  };
  luaL_newlib(L, functions);
  lua_setfield(L, -2, "formats");
}
