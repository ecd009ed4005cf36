/* conv_tiles_base.c -- the loops of conv_tiles_body.h for any processor. */
#define VECTOR_BYTES 16
#include "conv_tiles_body.h"
#include "conv_channels_body.h"

const conv_tiles conv_tiles_base = { LANES, TILE_ROWS, PRODUCT_ROWS, gather,
                                     gather_strided, cell, product, mask, channels };
