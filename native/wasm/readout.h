// The linear readout of the states, and the loss: the mean over the scored steps of a squared error, or of a cross
// entropy.
#ifndef THROUGHTIME_WASM_READOUT_H
#define THROUGHTIME_WASM_READOUT_H

#include <cmath>

#include "network.h"

namespace throughtime {

// y = w_out h + b_out.
inline void read_out(const Network& net, const float* h, float* y) {
  const Sizes& s = net.sizes;
  for (Index o = 0; o < s.O; ++o) {
    float sum = net.weights.b_out[o];
    for (Index j = 0; j < s.H; ++j) sum += net.weights.w_out[o * s.H + j] * h[j];
    y[o] = sum;
  }
}

// Adds `weight` dy to the readout's gradient, and returns in d_h its derivative by h.
inline void read_out_backward(const Network& net, const float* h, const float* d_y, float* d_h) {
  const Sizes& s = net.sizes;
  for (Index o = 0; o < s.O; ++o) {
    net.gradients.b_out[o] += d_y[o];
    for (Index j = 0; j < s.H; ++j) {
      net.gradients.w_out[o * s.H + j] += d_y[o] * h[j];
      d_h[j] += d_y[o] * net.weights.w_out[o * s.H + j];
    }
  }
}

// (y - target)^2 of one output; d_y is the derivative.
inline float squared_error(const float* y, float target, float* d_y) {
  const float error = y[0] - target;
  d_y[0] = 2 * error;
  return error * error;
}

// The cross entropy of a class; d_y = softmax(y) - one_hot(target).
inline float cross_entropy(const float* y, Index O, float target, float* d_y) {
  const Index correct = static_cast<Index>(target);
  float most = y[0], sum = 0;
  for (Index o = 1; o < O; ++o) most = most < y[o] ? y[o] : most;
  for (Index o = 0; o < O; ++o) sum += d_y[o] = std::exp(y[o] - most);
  for (Index o = 0; o < O; ++o) d_y[o] /= sum;
  d_y[correct] -= 1;
  return most + std::log(sum) - y[correct];
}

// One output is a number, several are the logits of classes.
inline float loss(const float* y, Index O, float target, float* d_y) {
  return O == 1 ? squared_error(y, target, d_y) : cross_entropy(y, O, target, d_y);
}

}  // namespace throughtime

#endif
