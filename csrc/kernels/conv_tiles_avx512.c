/* conv_tiles_avx512.c -- the loops of conv_tiles_body.h for AVX-512. */
#if defined(__x86_64__) && defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)
#elif defined(__x86_64__)
#pragma GCC target("avx512f")
#endif

#ifdef __x86_64__
#define VECTOR_BYTES 64
#include "conv_tiles_body.h"
#include "conv_channels_body.h"

const conv_tiles conv_tiles_avx512 = { LANES, TILE_ROWS, PRODUCT_ROWS, gather,
                                       gather_strided, cell, product, mask, channels };
#else
typedef int conv_tiles_avx512_needs_x86_64;
#endif

#if defined(__x86_64__) && defined(__clang__)
#pragma clang attribute pop
#endif
