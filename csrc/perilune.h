/* perilune.h -- what an embedding host needs.
**
**   luaL_requiref(L, "perilune.core", luaopen_perilune_core, 0);   or just: require "perilune"
**
** Each lua_State has a context of its own; several states may run side by side on several threads.  A state's own
** threads end with it, and a forked child makes new ones.  A host's OpenBLAS thread setting stays as it was; the
** library prints nothing and never ends the process. */
#ifndef PERILUNE_H
#define PERILUNE_H

#include <stddef.h>

#include <lua.h>

#if defined(__GNUC__)
#define PERILUNE_API __attribute__((visibility("default")))
#else
#define PERILUNE_API
#endif

#define PERILUNE_VERSION "0.1.0"

/* Pushes the core table.  The Lua part (`require "perilune"`) builds the public API on it. */
PERILUNE_API int luaopen_perilune_core(lua_State *L);
/* Tensors of this state may take this many bytes in all; 0: no cap.  The state must have loaded the core. */
PERILUNE_API void perilune_set_memory_cap(lua_State *L, size_t n_bytes);
PERILUNE_API const char *perilune_version(void);

#endif
