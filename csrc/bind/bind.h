/* bind.h -- between Lua's stack and the layers below.  Only files in bind/ include lua.h.
**
** A binding: bind_enter (the safe point: may run the collector), check every argument, make the userdata with
** a NULL handle, call down, put the result into the handle.  A Lua error can then never leak a reference. */
#ifndef PERILUNE_BIND_H
#define PERILUNE_BIND_H

#include <lauxlib.h>
#include <lua.h>

#include "../tensor/tensor.h"

/* The state's context.  Call it first in every binding, before raw pointers are taken: it is also the point
** at which the collector may be told about tensor memory. */
context *bind_enter(lua_State *L);
context *bind_context(lua_State *L);      /* the same without the safe point */

tensor **bind_new_tensor(lua_State *L);   /* pushes a tensor userdata whose handle is NULL */
tensor **bind_new_kept_tensor(lua_State *L);                    /* likewise, but no open scope will free it */
tensor *bind_check_tensor(lua_State *L, int argument);          /* raises unless it is a live tensor */
bool bind_is_tensor(lua_State *L, int argument);                /* also a tensor that its scope has freed */
tensor *bind_test_tensor(lua_State *L, int argument);           /* NULL unless it is one */
void bind_push_tensor(lua_State *L, tensor *t);                 /* a new userdata that shares t (retains it) */

/* Scratch memory for the rest of the calling binding, 8-byte aligned, which a Lua error cannot leak: pushes a userdata
** that holds it until it is popped, or until the binding returns or raises. */
void *bind_scratch(lua_State *L, size_t n_bytes);

/* Raises "FILE:LINE: message" with the position of the nearest caller outside the library's own Lua files. */
int bind_error(lua_State *L, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));
/* Raises the context's message, or the error that user code raised inside the call. */
int bind_raise(lua_State *L) __attribute__((noreturn));
/* The same if code is not STATUS_OK. */
void bind_check(lua_State *L, status code);
/* For files: pushes nil and the context's message, returns 2. */
int bind_failure(lua_State *L);

int64_t bind_check_integer(lua_State *L, int argument, const char *what, int64_t low, int64_t high);

/* Each of these adds its functions to the table on top of the stack (perilune.core). */
void bind_tensor(lua_State *L);
void bind_ops(lua_State *L);
void bind_autograd(lua_State *L);
void bind_memory(lua_State *L);
void bind_random(lua_State *L);
void bind_formats(lua_State *L);
void bind_optimizers(lua_State *L);
void bind_data(lua_State *L);
void bind_decomposition(lua_State *L);
void bind_manifold(lua_State *L);
void bind_study(lua_State *L);

#endif
