// Operands, results and attributes of the foreign functions.
#ifndef THROUGHTIME_ARGS_H
#define THROUGHTIME_ARGS_H

#include "kernels.h"
#include "problem.h"
#include "xla/ffi/api/ffi.h"

namespace throughtime {

namespace ffi = xla::ffi;

using Floats = ffi::Buffer<ffi::F32>;
using Flags = ffi::Buffer<ffi::PRED>;

// Every array has a leading axis of M models. Optional arrays have no elements if they are absent.
struct Operands {
  Floats w_x, w_h, b, b_h;  // b_h is optional
  Floats xs, h, c;          // c is optional
  Flags mask;               // optional
};

// Members are in the order of the foreign function's operands, results and attributes.
struct ForwardArgs {
  Operands in;
  Floats hs, h_last, c_last, residuals;  // results; no residuals are stored without a backward pass
  std::int32_t cell, activation;
  bool reverse;
};

struct BackwardArgs {
  Operands in;
  Floats hs, residuals, d_hs, d_h_last, d_c_last;
  Floats d_w_x, d_w_h, d_b, d_b_h, d_xs, d_h, d_c;  // results; d_xs is optional
  std::int32_t cell, activation;
  bool reverse;
};

// M models, each with its own batch; `shared` if they have the same weights, stored once; order (M, B), that of the
// sequences, or null.
struct Problem {
  Index M;
  bool shared;
  Shape shape;
  const Kernel* kernel;
  const Index* order = nullptr;
};

// Reads the sizes from xs and h, or returns an error if these have the wrong rank or no kernel exists.
template <class Args>
ffi::ErrorOr<Problem> problem_of(const Args&);

// Returns an error that names the first array of the wrong shape, the shape it has and the one expected.
ffi::Error check_shapes(const ForwardArgs&, const Problem&);
ffi::Error check_shapes(const BackwardArgs&, const Problem&);

// The addresses of model m.
Weights weights_of(const Operands&, const Problem&, Index m);
WeightGradients weight_gradients_of(const BackwardArgs&, Index m);
ForwardPass pass_of(const ForwardArgs&, const Problem&, Index m, const float* packed);
BackwardPass pass_of(const BackwardArgs&, const Problem&, Index m, const float* packed);

}  // namespace throughtime

#endif
