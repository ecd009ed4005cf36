/* call.h -- from Lua's arguments to an operation's inputs and values.  Private to bind/. */
#ifndef PERILUNE_CALL_H
#define PERILUNE_CALL_H

#include "../kernels/op.h"
#include "state.h"

enum { FEW_INPUTS = 8 };

/* An operation's description, looked at once for each state: nothing is parsed during a call. */
typedef struct compiled {
  const op *operation;
  int n_values;
  bool has_fallback[MAX_VALUES];
  op_value fallback[];          /* n_values; there are 170 operations, and most have few */
} compiled;
static inline size_t compiled_bytes(int n_values) { return sizeof(compiled) + (size_t)n_values * sizeof(op_value); }

/* One call on its way down.  What it borrows lies on the Lua stack. */
typedef struct call {
  lua_State *L;
  context *context;
  const compiled *compiled;
  tensor *first;                /* the first input where it does not lie on the stack, else NULL */
  int base;                     /* the first argument lies behind this stack index */
  int top;                      /* stack index of the last argument before the options table */
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
/* The same without the safe point, for a description and the stack from base + 1 to top.  first: takes the place of
** the first argument, whatever lies there; or NULL.  k->context must be set. */
void read_call(call *k, lua_State *L, const compiled *description, tensor *first, int base, int top);

/* The description behind one of core.ops, or a fixed one, at that stack index; raises for any other value. */
const compiled *check_operation(lua_State *L, int argument, const char *function);

/* Adds chain() and layer_chain() to the table on top of the stack. */
void bind_chain(lua_State *L);

/* The options of the table at that stack index become the description's defaults. */
void fix_options(lua_State *L, compiled *description, int options);

/* core.registry() -> a list of descriptions. */
int list_registry(lua_State *L);

#endif
