/* call.h -- from Lua's arguments to an operation's inputs and values.  Private to bind/. */
#ifndef PERILUNE_CALL_H
#define PERILUNE_CALL_H

#include "../kernels/op.h"
#include "state.h"

enum { FEW_INPUTS = 8 };

/* An operation's description, looked at once for each state: nothing is parsed during a call. */
typedef struct compiled {
  const op *operation;
  int n_parameters, n_values;
  op_value fallback[MAX_VALUES];
  bool has_fallback[MAX_VALUES];
} compiled;

/* One call on its way down.  What it borrows lies on the Lua stack. */
typedef struct call {
  lua_State *L;
  context *context;
  const compiled *compiled;
  int top;                      /* arguments before the options table */
  int options;                  /* stack index of the options table, or 0 */
  int next;                     /* stack index of the next positional argument */
  int n_inputs;
  tensor **inputs;
  tensor *few[FEW_INPUTS];
  op_value values[MAX_VALUES];
} call;

bool takes_tensors(parameter_kind kind);
/* Position of text among "a|b|c", or -1. */
int find_choice(const char *choices, const char *text);
/* Pushes a userdata that holds the compiled description. */
void push_compiled(lua_State *L, const op *operation);

/* The safe point, then all arguments of the function whose upvalue 1 is the description.  Raises on what does not
** fit. */
void begin_call(call *k, lua_State *L);

/* The options of the table at that stack index become the description's defaults. */
void fix_options(lua_State *L, compiled *description, int options);

/* core.registry() -> a list of descriptions. */
int list_registry(lua_State *L);

#endif
