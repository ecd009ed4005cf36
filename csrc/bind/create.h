/* create.h -- what the functions that make tensors share.  Private to bind/. */
#ifndef PERILUNE_CREATE_H
#define PERILUNE_CREATE_H

#include "state.h"

typedef struct creation {
  const char *function;
  dtype dtype;
  bool dtype_given;
  bool requires_grad;
} creation;

/* Reads and removes a trailing { dtype = ..., requires_grad = ... }; unknown names raise. */
creation creation_options(lua_State *L, const char *function, dtype fallback);
/* Sizes from a table at `first` or from all arguments from there on; returns how many. */
int creation_shape(lua_State *L, const char *function, int first, int64_t shape[MAX_DIMS]);
/* Puts t (NULL raises the context's message) into the slot; returns 1. */
int creation_finish(lua_State *L, const creation *made, tensor **slot, tensor *t);

#endif
