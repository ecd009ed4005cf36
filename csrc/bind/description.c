/* description.c -- an operation's description, compiled for calls and listed for Lua. */
#include <stdlib.h>
#include <string.h>

#include "../kernels/registry.h"
#include "call.h"

bool takes_tensors(parameter_kind kind) {
  return kind == P_TENSOR || kind == P_TENSOR_OR_NIL || kind == P_TENSOR_LIST;
}

int find_choice(const char *choices, const char *text) {
  size_t n = strlen(text);
  for (int i = 0; choices != NULL; i++) {
    const char *end = strchr(choices, '|');
    size_t length = end != NULL ? (size_t)(end - choices) : strlen(choices);
    if (length == n && memcmp(choices, text, n) == 0) return i;
    choices = end != NULL ? end + 1 : NULL;
  }
  return -1;
}

static void parse_items(const char *text, op_value *value) {
  value->list.count = 0;
  while (*text != '\0' && value->list.count < MAX_DIMS) {
    char *end;
    value->list.items[value->list.count++] = strtoll(text, &end, 10);
    text = *end == ',' ? end + 1 : end;
  }
}

static void parse_fallback(const parameter *p, op_value *value) {
  dtype d;
  switch (p->kind) {
    case P_NUMBER: value->number = strtod(p->fallback, NULL); break;
    case P_INTEGER:
    case P_DIM: value->integer = strtoll(p->fallback, NULL, 10); break;
    case P_FLAG: value->flag = strcmp(p->fallback, "true") == 0; break;
    case P_CHOICE: value->integer = find_choice(p->choices, p->fallback); break;
    case P_DTYPE: value->integer = dtype_from_name(p->fallback, &d) ? (int64_t)d : -1; break;
    case P_DIMS:
    case P_SIZES: parse_items(p->fallback, value); break;
    case P_PAIR:
      parse_items(p->fallback, value);
      if (value->list.count == 1) {
        value->list.items[1] = value->list.items[0];
        value->list.count = 2;
      }
      break;
    case P_TENSOR:
    case P_TENSOR_OR_NIL:
    case P_TENSOR_LIST: break;
  }
}

void push_compiled(lua_State *L, const op *operation) {
  int n_values = 0, at = 0;
  for (const parameter *p = operation->parameters; p->name != NULL; p++) n_values += !takes_tensors(p->kind);
  size_t n_bytes = compiled_bytes(n_values);
  compiled *description = memset(lua_newuserdatauv(L, n_bytes, 0), 0, n_bytes);
  description->operation = operation;
  description->n_values = n_values;
  for (const parameter *p = operation->parameters; p->name != NULL; p++) {
    if (takes_tensors(p->kind)) continue;
    description->has_fallback[at] = p->fallback != NULL;
    if (p->fallback != NULL) parse_fallback(p, &description->fallback[at]);
    at++;
  }
}

/* -- core.registry(): the descriptions, for help, the generic spec and the benchmark -- */

static const char *kind_name(parameter_kind kind) {
  static const char *const NAMES[] = { "tensor", "tensor?", "tensors", "number", "integer", "flag", "dim",
                                       "dims",   "sizes",   "pair",    "choice", "dtype" };
  return NAMES[kind];
}

static void set_string(lua_State *L, const char *field, const char *text) {
  if (text == NULL) return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, field);
}

static void set_flag(lua_State *L, const char *field, bool flag) {
  lua_pushboolean(L, flag);
  lua_setfield(L, -2, field);
}

static void push_parameters(lua_State *L, const op *operation) {
  lua_newtable(L);
  int i = 0;
  for (const parameter *p = operation->parameters; p->name != NULL; p++) {
    lua_newtable(L);
    set_string(L, "name", p->name);
    set_string(L, "kind", kind_name(p->kind));
    set_string(L, "fallback", p->fallback);
    set_string(L, "choices", p->choices);
    set_flag(L, "option", (p->flags & OPTION) != 0);
    set_flag(L, "constant", (p->flags & CONSTANT) != 0);
    lua_rawseti(L, -2, ++i);
  }
}

static void push_samples(lua_State *L, const op *operation) {
  lua_newtable(L);
  for (int i = 0; operation->samples != NULL && operation->samples[i] != NULL; i++) {
    lua_pushstring(L, operation->samples[i]);
    lua_rawseti(L, -2, i + 1);
  }
}

static void push_description(lua_State *L, const op *operation) {
  lua_newtable(L);
  set_string(L, "name", operation->name);
  set_string(L, "help", operation->help);
  set_flag(L, "differentiable", operation->backward != NULL);
  set_flag(L, "has_flops", operation->flops != NULL);
  lua_pushinteger(L, operation->n_outputs);
  lua_setfield(L, -2, "n_outputs");
  lua_newtable(L);
  set_flag(L, "method", (operation->flags & OP_METHOD) != 0);
  set_flag(L, "functional", (operation->flags & OP_FUNCTIONAL) != 0);
  set_flag(L, "in_place", (operation->flags & OP_IN_PLACE) != 0);
  lua_setfield(L, -2, "flags");
  push_parameters(L, operation);
  lua_setfield(L, -2, "parameters");
  push_samples(L, operation);
  lua_setfield(L, -2, "samples");
}

int list_registry(lua_State *L) {
  lua_newtable(L);
  for (int i = 0; registry[i] != NULL; i++) {
    push_description(L, registry[i]);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}
