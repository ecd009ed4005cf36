/* descent.c -- one step of gradient descent with momentum and a gain for each coordinate.
** Jacobs, "Increased rates of convergence through learning rate adaptation", Neural Networks 1988; van der Maaten &
** Hinton, JMLR 2008. */
#include <math.h>

#include "manifold.h"

static const float GAIN_STEP = 0.2f, GAIN_DECAY = 0.8f, LEAST_GAIN = 0.01f;

static void center(float *y, int64_t n, int m) {
  for (int d = 0; d < m; d++) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)y[i * m + d];
    float mean = (float)(sum / (double)n);
    for (int64_t i = 0; i < n; i++) y[i * m + d] -= mean;
  }
}

/* A gain grows while its gradient keeps pointing against the velocity, that is, in the direction that we move in. */
double manifold_step(const descent *d, const float *attraction, const float *repulsion, int64_t n, int m, float *y,
                     float *velocity, float *gain) {
  float exaggeration = (float)d->exaggeration, scale = (float)(1 / d->q_sum), rate = (float)d->learning_rate;
  float momentum = (float)d->momentum;
  double squares = 0;
  for (int64_t i = 0; i < n * m; i++) {
    float gradient = exaggeration * attraction[i] - scale * repulsion[i];
    float grown = (gradient > 0) != (velocity[i] > 0) ? gain[i] + GAIN_STEP : gain[i] * GAIN_DECAY;
    gain[i] = grown < LEAST_GAIN ? LEAST_GAIN : grown;
    velocity[i] = momentum * velocity[i] - rate * gain[i] * gradient;
    y[i] += velocity[i];
    squares += (double)gradient * (double)gradient;
  }
  center(y, n, m);
  return sqrt(squares);
}
