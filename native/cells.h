// One time step of each cell without its matrix product: forward, and backward through it.
//
// `pre` holds the cell's BLOCKS blocks of pre-activations, `block` floats apart; h and c are the state, which a step
// replaces; `residuals` holds the RESIDUALS blocks that the backward pass needs, and `d_pre` the derivatives with
// respect to `pre`, both with blocks `size` floats apart, a whole number of vectors. `d_y` is the derivative with
// respect to the step's output, `d_h` and `d_c` those with respect to the state: after the step on entry, before it on
// return. READS_H: the backward pass reads h. SPARSE: about half of h and of d_pre are zeros. Padding lanes hold
// garbage.
//
// Gates are in the order of throughtime.cells, except that the two terms of the GRU's candidate are separate blocks.
#ifndef THROUGHTIME_CELLS_H
#define THROUGHTIME_CELLS_H

#include "simd.h"

namespace throughtime::THROUGHTIME_ISA {

// Activations and their slopes as functions of their values, at 0 the same as in JAX. ZEROS: both are 0 on a half line.
struct Identity {
  static constexpr bool ZEROS = false;
  static Vector value(Vector a) { return a; }
  static Vector slope(Vector) { return broadcast(1.0f); }
};

struct Sigmoid {
  static constexpr bool ZEROS = false;
  static Vector value(Vector a) { return sigmoid(a); }
  static Vector slope(Vector y) { return y * (1.0f - y); }
};

struct Tanh {
  static constexpr bool ZEROS = false;
  static Vector value(Vector a) { return tanh(a); }
  static Vector slope(Vector y) { return 1.0f - y * y; }
};

struct Relu {
  static constexpr bool ZEROS = true;
  static Vector value(Vector a) { return a < 0.0f ? broadcast(0.0f) : a; }
  static Vector slope(Vector y) { return y > 0.0f ? broadcast(1.0f) : broadcast(0.0f); }
};

struct LeakyRelu {
  static constexpr bool ZEROS = false;
  static Vector value(Vector a) { return a < 0.0f ? 0.01f * a : a; }
  static Vector slope(Vector y) { return y < 0.0f ? broadcast(0.01f) : broadcast(1.0f); }
};

struct Elu {
  static constexpr bool ZEROS = false;
  static Vector value(Vector a) { return a > 0.0f ? a : expm1(a); }
  static Vector slope(Vector y) { return y > 0.0f ? broadcast(1.0f) : y + 1.0f; }
};

// Applies an activation in a loop that does nothing else, so that the processor overlaps many of them.
template <Vector (*PHI)(Vector)>
inline void activate(float* to, const float* from, Index count) {
  for (Index j = 0; j < count; j += LANES) store(to + j, PHI(load(from + j)));
}

// The terms of a block of pre-activations: the indices of their gates in the cell's weights, -1 if there is no such
// term.
struct Source {
  int h, x, b, b_h;
};

// The buffers of one backward step; h is the state after the step.
struct BackwardStep {
  const float *h, *h_before, *c_before, *residuals, *d_y;
  float *d_h, *d_c, *d_pre;
};

template <class Phi>
struct Elman {
  static constexpr int BLOCKS = 1, RESIDUALS = 0, GATES = 1;
  static constexpr bool HAS_C = false, READS_H = true, SPARSE = Phi::ZEROS;
  static constexpr Source SOURCES[BLOCKS] = {{0, 0, 0, -1}};

  static void forward(const float* pre, Index, float* h, float*, float*, Index size) {
    for (Index j = 0; j < size; j += LANES) store(h + j, Phi::value(load(pre + j)));
  }

  static void backward(BackwardStep at, Index size) {
    for (Index j = 0; j < size; j += LANES) {
      store(at.d_pre + j, (load(at.d_h + j) + load(at.d_y + j)) * Phi::slope(load(at.h + j)));
      store(at.d_h + j, Vector{});
    }
  }
};

// Blocks: i, f, g, o. Residuals: i, f, g, o, c. Recomputing tanh(c) is faster than reading it from memory.
struct LSTM {
  static constexpr int BLOCKS = 4, RESIDUALS = 5, GATES = 4;
  static constexpr bool HAS_C = true, READS_H = false, SPARSE = false;
  static constexpr Source SOURCES[BLOCKS] = {{0, 0, 0, -1}, {1, 1, 1, -1}, {2, 2, 2, -1}, {3, 3, 3, -1}};

  static void forward(const float* pre, Index block, float* h, float* c, float* residuals, Index size) {
    activate<sigmoid>(residuals, pre, size);
    activate<sigmoid>(residuals + size, pre + block, size);
    activate<tanh>(residuals + 2 * size, pre + 2 * block, size);
    activate<sigmoid>(residuals + 3 * size, pre + 3 * block, size);
    for (Index j = 0; j < size; j += LANES) {
      const Vector i = load(residuals + j), f = load(residuals + size + j), g = load(residuals + 2 * size + j);
      const Vector c_after = f * load(c + j) + i * g;
      const Vector tanh_c = tanh(c_after);
      store(c + j, c_after);
      store(h + j, load(residuals + 3 * size + j) * tanh_c);
      store(residuals + 4 * size + j, c_after);
    }
  }

  static void backward(BackwardStep at, Index size) {
    for (Index j = 0; j < size; j += LANES) {
      const float* const residuals = at.residuals + j;
      const Vector i = load(residuals), f = load(residuals + size), g = load(residuals + 2 * size);
      const Vector o = load(residuals + 3 * size), tanh_c = tanh(load(residuals + 4 * size));
      const Vector d_h = load(at.d_h + j) + load(at.d_y + j);
      const Vector d_c = load(at.d_c + j) + d_h * o * (1.0f - tanh_c * tanh_c);
      store(at.d_pre + j, d_c * g * (i * (1.0f - i)));
      store(at.d_pre + size + j, d_c * load(at.c_before + j) * (f * (1.0f - f)));
      store(at.d_pre + 2 * size + j, d_c * i * (1.0f - g * g));
      store(at.d_pre + 3 * size + j, d_h * tanh_c * (o * (1.0f - o)));
      store(at.d_c + j, d_c * f);
      store(at.d_h + j, Vector{});
    }
  }
};

// Blocks: the candidate's state term, r, z, the candidate's input term. Blocks that read the state are first, those
// that read the input last. Residuals: r, z, n, the state term.
struct GRU {
  static constexpr int BLOCKS = 4, RESIDUALS = 4, GATES = 3;
  static constexpr bool HAS_C = false, READS_H = true, SPARSE = false;
  static constexpr Source SOURCES[BLOCKS] = {{2, -1, -1, 0}, {0, 0, 0, -1}, {1, 1, 1, -1}, {-1, 2, 2, -1}};

  static void forward(const float* pre, Index block, float* h, float*, float* residuals, Index size) {
    activate<sigmoid>(residuals, pre + block, size);
    activate<sigmoid>(residuals + size, pre + 2 * block, size);
    for (Index j = 0; j < size; j += LANES) {
      const Vector term = load(pre + j), r = load(residuals + j), z = load(residuals + size + j);
      const Vector n = tanh(load(pre + 3 * block + j) + r * term);
      store(h + j, (1.0f - z) * n + z * load(h + j));
      store(residuals + 2 * size + j, n);
      store(residuals + 3 * size + j, term);
    }
  }

  static void backward(BackwardStep at, Index size) {
    for (Index j = 0; j < size; j += LANES) {
      const float* const residuals = at.residuals + j;
      const Vector r = load(residuals), z = load(residuals + size), n = load(residuals + 2 * size);
      const Vector d_h = load(at.d_h + j) + load(at.d_y + j);
      const Vector d_candidate = d_h * (1.0f - z) * (1.0f - n * n);
      store(at.d_pre + j, d_candidate * r);
      store(at.d_pre + size + j, d_candidate * load(residuals + 3 * size) * (r * (1.0f - r)));
      store(at.d_pre + 2 * size + j, d_h * (load(at.h_before + j) - n) * (z * (1.0f - z)));
      store(at.d_pre + 3 * size + j, d_candidate);
      store(at.d_h + j, d_h * z);
    }
  }
};

}  // namespace throughtime::THROUGHTIME_ISA

#endif
