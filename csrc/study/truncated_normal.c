/* truncated_normal.c -- masses and quantiles of a truncated normal distribution.
**
** Left of 0 a mass is a difference of two logarithms, right of 0 its mirror image, and across 0 one minus both tails:
** nowhere are two numbers near 1 subtracted.  Quantiles are found by Newton's method on log P(X <= x), which is
** concave, so that the steps come to the root from one side.  Double throughout: the ratio of two mixtures of 10,000
** kernels decides which of 24 candidates wins, and libm's erfc is right to the last bits in both tails. */
#include "truncated_normal.h"

#include <math.h>

static const double LOG_SQRT_TWO_PI = 0.91893853320467274178;
static const double SQRT_HALF = 0.70710678118654752440;
enum { MAX_STEPS = 100 };

/* log(e^x + e^y), x finite or -infinity. */
static double log_sum(double x, double y) {
  double high = fmax(x, y), low = fmin(x, y);
  return high == -INFINITY ? high : high + log1p(exp(low - high));
}

/* Beyond -20: phi(x) / -x (1 - 1/x^2 + 3/x^4 - ...), which has converged before it diverges. */
static double log_far_tail(double x) {
  double inverse = 1.0 / (x * x), term = 1.0, sum = 1.0;
  for (int i = 1; i < 20 && fabs(term) > 1e-17; i++) sum += term *= -(2.0 * i - 1.0) * inverse;
  return -0.5 * x * x - log(-x) - LOG_SQRT_TWO_PI + log(sum);
}

double log_normal_cdf(double x) {
  if (x > 6.0) return log1p(-0.5 * erfc(x * SQRT_HALF));
  return x > -20.0 ? log(0.5 * erfc(-x * SQRT_HALF)) : log_far_tail(x);
}

double log_normal_mass(double a, double b) {
  if (a > 0.0) return log_normal_mass(-b, -a);
  if (b <= 0.0) {
    double high = log_normal_cdf(b);
    return high + log1p(-exp(log_normal_cdf(a) - high));
  }
  if (a < -9.0 && b > 9.0) return 0.0;   /* both tails together are below 1e-18 */
  return log1p(-0.5 * erfc(-a * SQRT_HALF) - 0.5 * erfc(b * SQRT_HALF));
}

/* Where the logistic distribution, or far out the tail's leading term, has this logarithm. */
static double first_guess(double log_p) {
  if (log_p < -5.0) return -sqrt(-2.0 * (log_p + LOG_SQRT_TWO_PI));
  return -0.55132889542179204 * log(expm1(-log_p));   /* sqrt(3) / pi */
}

/* x with log P(X <= x) = log_p < 0; near 1 the other tail is looked for. */
static double quantile_of_log(double log_p) {
  int flipped = log_p > -1e-2;
  double wanted = flipped ? log(-expm1(log_p)) : log_p;
  double x = first_guess(wanted);
  for (int i = 0; i < MAX_STEPS; i++) {
    double found = log_normal_cdf(x);
    double step = (found - wanted) * exp(found + 0.5 * x * x + LOG_SQRT_TWO_PI);
    x -= step;
    if (!(fabs(step) >= 1e-12 * fabs(x))) break;
  }
  return flipped ? -x : x;
}

double truncated_normal_quantile(double q, double a, double b) {
  if (q <= 0.0) return a;
  if (q >= 1.0) return b;
  if (a >= 0.0) return -truncated_normal_quantile(1.0 - q, -b, -a);
  double log_p = log_sum(log_normal_cdf(a), log(q) + log_normal_mass(a, b));
  return fmin(fmax(quantile_of_log(log_p), a), b);
}
