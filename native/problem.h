// What a kernel is given, plain numbers and addresses: shared by what is compiled for every processor and what is not.
#ifndef THROUGHTIME_PROBLEM_H
#define THROUGHTIME_PROBLEM_H

#include <cstdint>

namespace throughtime {

using Index = std::int64_t;

// B sequences of T steps with D inputs, H units; from the last step to the first where reversed.
struct Shape {
  Index B, T, D, H;
  bool reverse;
};

// w_x (G*H, D), w_h (G*H, H), b (G*H,), and b_h (H,), which only a GRU has.
struct Weights {
  const float *w_x, *w_h, *b, *b_h;
};

struct WeightGradients {
  float *w_x, *w_h, *b, *b_h;
};

// xs (B, T, D); h and c (B, H), of which only an LSTM has c; mask (B, T) or null, 0 where a step keeps the state.
struct Inputs {
  const float *xs, *h, *c;
  const std::uint8_t* mask;
};

// hs (B, T, H), the state after each step; the last states (B, H); saved, as large as (B, T, saved blocks, padded H) and laid
// out as the kernel likes, for the same rows on the way back, or null where nothing will come back.
struct Outputs {
  float *hs, *h, *c, *saved;
};

// What was computed, and the loss's derivatives by it.
struct Cotangents {
  const float *hs, *saved, *d_hs, *d_h, *d_c;
};

// The loss's derivatives by the inputs; xs is null where nobody asks for it.
struct Gradients {
  float *xs, *h, *c;
};

// The weights' gradients as a kernel adds them up: each `rows` of the sequences that it is given have sums of their own,
// `size` apart, so that these are the same however the sequences are shared out.
struct Sums {
  float* at;
  Index rows, size;
};

// A cell's kernel for one instruction set. Sizes are in floats; every address it is given is aligned to 64 bytes but
// those of the problem itself.
struct Kernel {
  Index gates;        // G
  Index saved;        // blocks of H, each padded by `padded`
  bool memory;        // whether there is a c
  bool inner_bias;    // whether there is a b_h

  Index (*packed_forward)(const Shape&);
  void (*pack_forward)(const Shape&, const Weights&, float* packed);
  Index (*scratch_forward)(const Shape&, Index rows);
  void (*forward)(const Shape&, const float* packed, const Inputs&, const Outputs&, Index first, Index last,
                  float* scratch);

  Index (*packed_backward)(const Shape&);
  void (*pack_backward)(const Shape&, const Weights&, float* packed);
  Index (*scratch_backward)(const Shape&, Index rows);
  Index (*sums)(const Shape&);
  void (*backward)(const Shape&, const float* packed, const Inputs&, const Cotangents&, const Gradients&, Index first,
                   Index last, const Sums& sums, float* scratch);
  void (*unpack)(const Shape&, const float* sums, const WeightGradients&);
};

// Sequences of T steps and W floats a step, whose states move by s' = a s + c: from the last step to the first where
// `reverse`, and by the a of the step before where `late`, as the way back does.
struct Sequences {
  Index T, W;
  bool reverse, late;
};

// The states s (N, T, W) of sequences `first` to `last`, from a and c of that shape; a state starts at 0.
using Linear = void (*)(const Sequences&, const float* a, const float* c, float* s, Index first, Index last);

// H padded to whole vectors of any instruction set, as `saved` has it.
static inline Index padded(Index H) { return (H + 15) / 16 * 16; }

}  // namespace throughtime

#endif
