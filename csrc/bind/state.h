/* state.h -- what the bindings keep for one lua_State.  Private to bind/. */
#ifndef PERILUNE_STATE_H
#define PERILUNE_STATE_H

#include "bind.h"

typedef struct scope {
  struct scope *below;      /* opened before this one */
  lua_State *thread;        /* the coroutine that opened it: only its tensors are collected */
  int tensors;              /* reference to the weak table of tensor userdata made since */
} scope;

typedef struct state {
  context *context;
  lua_State *main;          /* outlives every coroutine */
  lua_State *running;       /* the coroutine that called backward: user code is called back on it */
  size_t collect_limit;     /* live bytes at which the collector is asked to run */
  scope *scopes;            /* innermost first */
  bool has_failure;         /* the last call failed by a Lua error, which core.c keeps */
} state;

state *bind_state(lua_State *L);
void bind_scope(lua_State *L);      /* adds scope() to the table on top of the stack */
void bind_create(lua_State *L);
/* Methods of tensors live in this table (registry), which Lua may extend. */
void bind_push_methods(lua_State *L);
/* t[key] for any kind of key; pushes nothing, returns a new reference or NULL with the message in the context. */
tensor *bind_index(lua_State *L, context *c, tensor *t, int key);
/* Pushes a 0-dim tensor of that dtype with the Lua number or boolean at `at`; raises where it does not fit. */
tensor *bind_push_number(lua_State *L, const char *function, dtype d, int at);
/* Calls the function and arguments on the stack; false: the error is kept for bind_check to raise again. */
bool bind_call_back(state *s, lua_State *L, int n_arguments, int n_results);

#endif
