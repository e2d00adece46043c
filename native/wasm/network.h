// A cell and a linear readout: their parameters in one buffer, the gradient in another of the same layout.
#ifndef THROUGHTIME_WASM_NETWORK_H
#define THROUGHTIME_WASM_NETWORK_H

#include "../kernels.h"
#include "adam.h"
#include "floats.h"

namespace throughtime {

// D inputs, H units, O outputs.
struct Sizes {
  Index D, H, O;
};

// Parts of a buffer, in this order: w_x (G*H, D), w_h (G*H, H), b (G*H,), b_h (H,) of a GRU, w_out (O, H), b_out (O,).
struct Parts {
  float *w_x, *w_h, *b, *b_h, *w_out, *b_out;

  Parts(const Kernel& kernel, Sizes sizes, float* data) {
    const Index rows = kernel.gates * sizes.H;
    w_x = data;
    w_h = w_x + rows * sizes.D;
    b = w_h + rows * sizes.H;
    b_h = b + rows;
    w_out = b_h + (kernel.has_inner_bias ? sizes.H : 0);
    b_out = w_out + sizes.O * sizes.H;
  }

  static Index count(const Kernel& kernel, Sizes sizes) {
    return kernel.gates * sizes.H * (sizes.D + sizes.H + 1) + (kernel.has_inner_bias ? sizes.H : 0) +
           sizes.O * (sizes.H + 1);
  }

  Weights weights() const { return {w_x, w_h, b, b_h}; }
  WeightGradients gradients() const { return {w_x, w_h, b, b_h}; }
};

struct Network {
  const Kernel& kernel;
  const Sizes sizes;
  const Floats parameters, gradient;
  const Parts weights, gradients;
  Adam adam;

  Network(const Kernel& kernel, Sizes sizes)
      : kernel(kernel),
        sizes(sizes),
        parameters(Parts::count(kernel, sizes)),
        gradient(parameters.count()),
        weights(kernel, sizes, parameters),
        gradients(kernel, sizes, gradient),
        adam(parameters.count()) {}
};

}  // namespace throughtime

#endif
