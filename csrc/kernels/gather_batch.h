/* gather_batch.h -- rows of a data set, picked by number, become a batch. */
#ifndef PERILUNE_GATHER_BATCH_H
#define PERILUNE_GATHER_BATCH_H

#include "../tensor/tensor.h"

/* *out = source[index], a new tensor of shape (B, ...) for a source (N, ...) and an int64 index (B) with values in
** 1 .. N.  With scaled, the elements are multiplied by scale and *out is float32, in lanes order if lanes (which needs
** 2 dims); the source is then uint8 or float32.  Without, *out is contiguous and has the source's dtype.
** The source's rows must be contiguous.  Fails on a row number that is out of range; nothing is recorded. */
status gather_batch(context *c, const tensor *source, const tensor *index, bool scaled, double scale, bool lanes,
                    tensor **out);

#endif
