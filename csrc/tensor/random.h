/* random.h -- draws from the context's counter-based generator.
** Each function fills n items of contiguous memory and advances the generator by what it used. */
#ifndef PERILUNE_RANDOM_H
#define PERILUNE_RANDOM_H

#include "context.h"

/* The four words of draw `counter` of the stream `seed`. */
void philox(uint32_t words[4], uint64_t seed, uint64_t counter);

void random_uniform_float32(context *c, float *out, int64_t n);                   /* [0, 1) */
void random_uniform_float64(context *c, double *out, int64_t n);                  /* [0, 1) */
void random_normal_float32(context *c, float *out, int64_t n);                    /* N(0, 1), Box-Muller */
void random_normal_float64(context *c, double *out, int64_t n);
void random_integers(context *c, int64_t *out, int64_t n, int64_t low, int64_t high);  /* low..high, unbiased */
void random_permutation(context *c, int64_t *out, int64_t n);                     /* of 1..n, Fisher-Yates */

#endif
