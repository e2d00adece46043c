// One time step of each cell, less its matrix product: forward, and backward through it.
//
// `pre` holds the cell's BLOCKS blocks of pre-activations, `block` apart; `h` and `c` the state, which a step replaces;
// `saved` the SAVED blocks that the way back needs, and `dpre` the derivatives by `pre`, both `size` apart, which is a
// whole number of vectors. `dy` is the derivative by the step's output, `dh` and `dc` those by the state, after the step
// and then before it. READS_H says whether the way back looks at h, SPARSE whether about half of h and of `dpre` are zeros.
// What stands behind the last unit is no number of anyone's. The gates stand in the order of throughtime.cells, but for
// those of GRU: its candidate's two shares stand apart.
#ifndef THROUGHTIME_CELLS_H
#define THROUGHTIME_CELLS_H

#include "simd.h"

namespace throughtime::THROUGHTIME_ISA {

// phi, and its slope by its own value, as JAX has them at 0; ZEROS says whether both are 0 on a half line.
struct Identity {
  static constexpr bool ZEROS = false;
  static Vector value(Vector a) { return a; }
  static Vector slope(Vector) { return all(1.0f); }
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
  static Vector value(Vector a) { return a < 0.0f ? all(0.0f) : a; }
  static Vector slope(Vector y) { return y > 0.0f ? all(1.0f) : all(0.0f); }
};

struct LeakyRelu {
  static constexpr bool ZEROS = false;
  static Vector value(Vector a) { return a < 0.0f ? 0.01f * a : a; }
  static Vector slope(Vector y) { return y < 0.0f ? all(0.01f) : all(1.0f); }
};

struct Elu {
  static constexpr bool ZEROS = false;
  static Vector value(Vector a) { return a > 0.0f ? a : expm1(a); }
  static Vector slope(Vector y) { return y > 0.0f ? all(1.0f) : y + 1.0f; }
};

// phi of each: by itself, so that the processor has many of them under way at once.
template <Vector (*PHI)(Vector)>
inline void squash(float* to, const float* from, Index count) {
  for (Index j = 0; j < count; j += LANES) store(to + j, PHI(load(from + j)));
}

// Where a block of pre-activations comes from: its place in the cell's weights, -1 where it has no such share.
struct Source {
  int h, x, b, b_h;
};

template <class Phi>
struct Elman {
  static constexpr int BLOCKS = 1, SAVED = 0, GATES = 1;
  static constexpr bool MEMORY = false, READS_H = true, SPARSE = Phi::ZEROS;
  static constexpr Source SOURCES[BLOCKS] = {{0, 0, 0, -1}};

  static void forward(const float* pre, Index, float* h, float*, float*, Index size) {
    for (Index j = 0; j < size; j += LANES) store(h + j, Phi::value(load(pre + j)));
  }

  static void backward(const float* h, const float*, const float*, const float*, const float* dy, float* dh, float*,
                       float* dpre, Index size) {
    for (Index j = 0; j < size; j += LANES) {
      store(dpre + j, (load(dh + j) + load(dy + j)) * Phi::slope(load(h + j)));
      store(dh + j, Vector{});
    }
  }
};

// i f g o; saved: i f g o, c. To find tanh(c) again takes less time than to read it from memory.
struct LSTM {
  static constexpr int BLOCKS = 4, SAVED = 5, GATES = 4;
  static constexpr bool MEMORY = true, READS_H = false, SPARSE = false;
  static constexpr Source SOURCES[BLOCKS] = {{0, 0, 0, -1}, {1, 1, 1, -1}, {2, 2, 2, -1}, {3, 3, 3, -1}};

  static void forward(const float* pre, Index block, float* h, float* c, float* saved, Index size) {
    squash<sigmoid>(saved, pre, size);
    squash<sigmoid>(saved + size, pre + block, size);
    squash<tanh>(saved + 2 * size, pre + 2 * block, size);
    squash<sigmoid>(saved + 3 * size, pre + 3 * block, size);
    for (Index j = 0; j < size; j += LANES) {
      const Vector i = load(saved + j), f = load(saved + size + j), g = load(saved + 2 * size + j);
      const Vector memory = f * load(c + j) + i * g;
      const Vector shown = tanh(memory);
      store(c + j, memory);
      store(h + j, load(saved + 3 * size + j) * shown);
      store(saved + 4 * size + j, memory);
    }
  }

  static void backward(const float*, const float*, const float* c_before, const float* saved, const float* dy,
                       float* dh, float* dc, float* dpre, Index size) {
    for (Index j = 0; j < size; j += LANES) {
      const Vector i = load(saved + j), f = load(saved + size + j), g = load(saved + 2 * size + j);
      const Vector o = load(saved + 3 * size + j), shown = tanh(load(saved + 4 * size + j));
      const Vector out = load(dh + j) + load(dy + j);
      const Vector memory = load(dc + j) + out * o * (1.0f - shown * shown);
      store(dpre + j, memory * g * (i * (1.0f - i)));
      store(dpre + size + j, memory * load(c_before + j) * (f * (1.0f - f)));
      store(dpre + 2 * size + j, memory * i * (1.0f - g * g));
      store(dpre + 3 * size + j, out * shown * (o * (1.0f - o)));
      store(dc + j, memory * f);
      store(dh + j, Vector{});
    }
  }
};

// The candidate's share of the state, r, z, and its share of the input: what reads the state stands first, and what
// reads the input last. Saved: r, z, n, and the state's share.
struct GRU {
  static constexpr int BLOCKS = 4, SAVED = 4, GATES = 3;
  static constexpr bool MEMORY = false, READS_H = true, SPARSE = false;
  static constexpr Source SOURCES[BLOCKS] = {{2, -1, -1, 0}, {0, 0, 0, -1}, {1, 1, 1, -1}, {-1, 2, 2, -1}};

  static void forward(const float* pre, Index block, float* h, float*, float* saved, Index size) {
    squash<sigmoid>(saved, pre + block, size);
    squash<sigmoid>(saved + size, pre + 2 * block, size);
    for (Index j = 0; j < size; j += LANES) {
      const Vector share = load(pre + j), r = load(saved + j), z = load(saved + size + j);
      const Vector n = tanh(load(pre + 3 * block + j) + r * share);
      store(h + j, (1.0f - z) * n + z * load(h + j));
      store(saved + 2 * size + j, n);
      store(saved + 3 * size + j, share);
    }
  }

  static void backward(const float*, const float* h_before, const float*, const float* saved, const float* dy,
                       float* dh, float*, float* dpre, Index size) {
    for (Index j = 0; j < size; j += LANES) {
      const Vector r = load(saved + j), z = load(saved + size + j), n = load(saved + 2 * size + j);
      const Vector out = load(dh + j) + load(dy + j);
      const Vector candidate = out * (1.0f - z) * (1.0f - n * n);
      store(dpre + j, candidate * r);
      store(dpre + size + j, candidate * load(saved + 3 * size + j) * (r * (1.0f - r)));
      store(dpre + 2 * size + j, out * (load(h_before + j) - n) * (z * (1.0f - z)));
      store(dpre + 3 * size + j, candidate);
      store(dh + j, out * z);
    }
  }
};

}  // namespace throughtime::THROUGHTIME_ISA

#endif
