/* registry.h -- every operation there is. */
#ifndef PERILUNE_REGISTRY_H
#define PERILUNE_REGISTRY_H

#include "op.h"

extern const op *const registry[];   /* ends with NULL */

#endif
