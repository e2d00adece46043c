// Clipping by the global norm and Adam, as optax.chain(clip_by_global_norm(limit), adam(rate)).
#ifndef THROUGHTIME_WASM_ADAM_H
#define THROUGHTIME_WASM_ADAM_H

#include <cmath>

#include "floats.h"

namespace throughtime {

// Scales a gradient down to the norm `limit`, unless that is 0; returns the norm it had.
inline float clip(const Floats& gradient, float limit) {
  double square = 0;
  for (Index i = 0; i < gradient.count(); ++i) square += static_cast<double>(gradient[i]) * gradient[i];
  const float norm = static_cast<float>(std::sqrt(square));
  if (limit > 0 && norm >= limit)
    for (Index i = 0; i < gradient.count(); ++i) gradient[i] = gradient[i] / norm * limit;
  return norm;
}

// Kingma & Ba 2015 (arXiv 1412.6980), algorithm 1.
class Adam {
 public:
  explicit Adam(Index count) : mean_(count), square_(count) {}

  void update(float* parameters, const Floats& gradient, float rate) {
    mean_power_ *= MEAN;
    square_power_ *= SQUARE;
    const float mean_scale = static_cast<float>(1 / (1 - mean_power_));
    const float square_scale = static_cast<float>(1 / (1 - square_power_));
    for (Index i = 0; i < gradient.count(); ++i) {
      mean_[i] = MEAN * mean_[i] + (1 - MEAN) * gradient[i];
      square_[i] = SQUARE * square_[i] + (1 - SQUARE) * gradient[i] * gradient[i];
      parameters[i] -= rate * (mean_[i] * mean_scale) / (std::sqrt(square_[i] * square_scale) + EPSILON);
    }
  }

 private:
  static constexpr float MEAN = 0.9f, SQUARE = 0.999f, EPSILON = 1e-8f;

  const Floats mean_, square_;
  double mean_power_ = 1, square_power_ = 1;
};

}  // namespace throughtime

#endif
