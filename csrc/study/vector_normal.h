/* vector_normal.h -- masses of the normal distribution in float64 that a loop can vectorise.
**
** Selects only, as in kernels/vector_double.h; for the Parzen estimator, which needs a million of them a trial.
** Relative errors stay below 2e-15 (spec/study/parzen_spec.lua compares with libm's erfc). */
#ifndef PERILUNE_VECTOR_NORMAL_H
#define PERILUNE_VECTOR_NORMAL_H

#include "../kernels/vector_double.h"

#define LOG_SQRT_TWO_PI 0.91893853320467274178

/* e^(z^2/2) times twice the normal tail beyond z >= 0.  (1 + z) times it is a polynomial in (z - 5) / (z + 5), after
** Shepherd & Laframboise, Math. Comp. 1981; the coefficients are a Chebyshev fit, with an error of 2e-16. */
VECTOR_MATH double scaled_tail(double z) {
  double both = 1.0 / ((z + 5.0) * (z + 1.0));
  double t = (z - 5.0) * (z + 1.0) * both;
  double p = -5.64415445812597301e-10;
  p = p * t + 4.41413054349195477e-9;
  p = p * t + 7.25474632680240182e-9;
  p = p * t - 5.09335633610144003e-8;
  p = p * t - 5.25724101797975082e-8;
  p = p * t + 3.76923276150849338e-7;
  p = p * t + 2.55756443641874041e-7;
  p = p * t - 2.6009098523598035e-6;
  p = p * t - 1.40692893670742038e-7;
  p = p * t + 1.81114900741454438e-5;
  p = p * t - 1.97921955185595637e-5;
  p = p * t - 1.07212042501839051e-4;
  p = p * t + 3.64668290232876882e-4;
  p = p * t + 1.558242881405838e-5;
  p = p * t - 3.35214468910893992e-3;
  p = p * t + 1.30440014504684855e-2;
  p = p * t - 3.03408308050297263e-2;
  p = p * t + 4.90739264777822476e-2;
  p = p * t - 5.2802085932616616e-2;
  p = p * t + 2.00047047708270368e-2;
  p = p * t + 6.20607368519274187e-2;
  p = p * t - 1.83104563668022256e-1;
  p = p * t + 9.23031659700075546e-1;
  return p * (z + 5.0) * both;
}

/* log of the mass between a and b, a < b.  On one side of 0 it is the nearer tail less the farther one, with the
** nearer one's exponent taken out; across 0 it is 1 less both tails. */
VECTOR_MATH double log_mass_double(double a, double b) {
  double near = a + b < 0.0 ? -b : a, far = a + b < 0.0 ? -a : b;
  double near_square = 0.5 * near * near;
  double near_tail = 0.5 * scaled_tail(fabs(near));
  double beyond = near < 0.0 ? -0.5 * far * far : 0.5 * (near - far) * (near + far);
  double far_tail = 0.5 * scaled_tail(far) * exp_double(beyond);
  double mass = near < 0.0 ? 1.0 - near_tail * exp_double(-near_square) - far_tail : near_tail - far_tail;
  return log_double(mass) - (near < 0.0 ? 0.0 : near_square);
}

/* The same for a narrow one, b - a = 2 h < 0.01: the density at its middle z, and the next two terms of its series. */
VECTOR_MATH double log_density_double(double z, double h) {
  double square = z * z, width = h * h;
  double more = width * ((square - 1.0) / 6.0 + width * (square * square - 6.0 * square + 3.0) / 120.0);
  return more - more * more * (0.5 - more / 3.0) - 0.5 * square - LOG_SQRT_TWO_PI;
}

#endif
