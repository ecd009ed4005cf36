/* truncated_normal.h -- the standard normal distribution cut to [a, b], in logarithms so that tails stay exact.
**
** a, b, x: numbers of standard deviations, a < b, finite.  All are pure and cannot fail. */
#ifndef PERILUNE_TRUNCATED_NORMAL_H
#define PERILUNE_TRUNCATED_NORMAL_H

double log_normal_cdf(double x);              /* log P(X <= x) */
double log_normal_mass(double a, double b);   /* log P(a < X <= b) */
/* The x in [a, b] below which the fraction q in [0, 1] of the mass between a and b lies. */
double truncated_normal_quantile(double q, double a, double b);

#endif
