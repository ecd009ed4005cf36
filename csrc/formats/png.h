/* png.h -- PNG pictures, by libpng. */
#ifndef PERILUNE_PNG_H
#define PERILUNE_PNG_H

#include "../tensor/tensor.h"
#include "stream.h"
#include "writer.h"

/* A new contiguous tensor (C, H, W) in *out: C is 1 gray, 2 gray + alpha, 3 RGB, 4 RGBA.  Of 8 bits or fewer: uint8,
** gray of fewer bits stretched to 0..255; of 16 bits: int64, 0..65535.  A palette becomes RGB, its transparency
** (and a transparent color) an alpha channel.  No gamma is applied; text and other side information is ignored. */
status png_read_tensor(context *c, stream *s, tensor **out);

/* picture: (H, W) or (C, H, W), C of 1 to 4 as above.  uint8 and int64: sample values; bool: black and white;
** floats: 0 to 1, clamped; NaN is an error.  bit_depth: 8 or 16.  int64 beyond the depth's range is an error. */
status png_write_tensor(writer *w, const tensor *picture, int bit_depth);

#endif
