/* conv_tiles_avx2.c -- the loops of conv_tiles_body.h for AVX2 and FMA. */
#if defined(__x86_64__) && defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#elif defined(__x86_64__)
#pragma GCC target("avx2,fma")
#endif

#ifdef __x86_64__
#define VECTOR_BYTES 32
#include "conv_tiles_body.h"
#include "conv_channels_body.h"

const conv_tiles conv_tiles_avx2 = { LANES, TILE_ROWS, PRODUCT_ROWS, gather,
                                     gather_strided, cell, product, mask, channels };
#else
typedef int conv_tiles_avx2_needs_x86_64;
#endif

#if defined(__x86_64__) && defined(__clang__)
#pragma clang attribute pop
#endif
