// Sizes and addresses that a kernel works on. Included both by code compiled for every processor and by code compiled
// for one instruction set: no function with external linkage may be defined here, as the linker would keep one copy for
// all.
#ifndef THROUGHTIME_PROBLEM_H
#define THROUGHTIME_PROBLEM_H

#include <cstdint>

namespace throughtime {

using Index = std::int64_t;

// B sequences of T steps, D inputs, H units; `reverse` runs from the last step to the first. `ordered`: the lengths
// differ, and the sequences run in an order of their own, GROUP_ROWS at a time.
struct Shape {
  Index B, T, D, H;
  bool reverse, ordered;
};

constexpr Index GROUP_ROWS = 16;

// w_x (G*H, D), w_h (G*H, H), b (G*H,); b_h (H,), the inner bias of a GRU, or null.
struct Weights {
  const float *w_x, *w_h, *b, *b_h;
};

struct WeightGradients {
  float *w_x, *w_h, *b, *b_h;
};

// xs (B, T, D); h (B, H); c (B, H) or null; mask (B, T) or null, 0 at steps that keep the state; order (B,), the
// sequences in the order in which they run, or null.
struct Inputs {
  const float *xs, *h, *c;
  const std::uint8_t* mask;
  const Index* order;
};

// hs (B, T, H), the state after each step; h and c (B, H), the last state; residuals, of the size of (B, T, blocks *
// residual_block(H)), or null without a backward pass. Their layout is private to the kernel, but the same for the same
// rows in both passes.
struct Outputs {
  float *hs, *h, *c, *residuals;
};

// Results of the forward pass that the backward pass reads.
struct Residuals {
  const float *hs, *blocks;
};

// Derivatives of the loss with respect to hs and the last state.
struct Cotangents {
  const float *hs, *h, *c;
};

// Derivatives of the loss with respect to the inputs; xs is null if it is not needed.
struct Gradients {
  float *xs, *h, *c;
};

// The forward pass of one model.
struct ForwardPass {
  Shape shape;
  const float* packed;
  Inputs in;
  Outputs out;
};

// The backward pass of one model.
struct BackwardPass {
  Shape shape;
  const float* packed;
  Inputs in;
  Residuals residuals;
  Cotangents cotangents;
  Gradients out;
};

// Partial sums of the weight gradients, `stride` floats apart: one for each `rows` sequences, so that the order of
// additions does not depend on the number of threads.
struct Sums {
  float* data;
  Index rows, stride;
};

// The kernel of one cell for one instruction set. Sizes are in floats. Packed weights, scratch and sums must be aligned
// to 64 bytes. The passes run sequences `first` to `last`, excluding the latter.
struct Kernel {
  Index gates;            // G
  Index residual_blocks;  // a step, of residual_block(H) floats each
  bool has_c;
  bool has_inner_bias;

  Index (*packed_forward_size)(const Shape&);
  void (*pack_forward)(const Shape&, const Weights&, float* packed);
  Index (*forward_scratch_size)(const Shape&, Index rows);
  void (*forward)(const ForwardPass&, Index first, Index last, float* scratch);

  Index (*packed_backward_size)(const Shape&);
  void (*pack_backward)(const Shape&, const Weights&, float* packed);
  Index (*backward_scratch_size)(const Shape&, Index rows);
  void (*backward)(const BackwardPass&, Index first, Index last, const Sums& sums, float* scratch);

  Index (*sums_size)(const Shape&);
  void (*unpack_sums)(const Shape&, const float* sums, const WeightGradients&);
};

// Sequences of T steps of W floats, with states s' = a s + c. `reverse` runs from the last step to the first; `late`
// multiplies by the a of the previous step, as the backward pass does.
struct Sequences {
  Index T, W;
  bool reverse, late;
};

// Computes the states s (N, T, W) of sequences `first` to `last` from a and c (N, T, W); the initial state is 0.
using Linear = void (*)(const Sequences&, const float* a, const float* c, float* s, Index first, Index last);

// Floats in a block of residuals: H padded to whole vectors of any instruction set.
static inline Index residual_block(Index H) { return (H + 15) / 16 * 16; }

}  // namespace throughtime

#endif
