// The recurrence of cells that are linear in their state, s' = a s + c, unit by unit.
//
// Each number is read or written once, so memory limits the speed, not arithmetic. A few vectors of a sequence run
// through a tile of steps with their states in registers, then the next vectors through the same steps, while these are
// in cache.
#ifndef THROUGHTIME_LINEAR_H
#define THROUGHTIME_LINEAR_H

#include "problem.h"
#include "simd.h"

namespace throughtime::THROUGHTIME_ISA {

constexpr Index PARALLEL_VECTORS = 4;  // enough that none waits for its last product
constexpr Index TILE_STEPS = 32;

struct Real {
  static Vector times(Vector a, Vector s) { return a * s; }
};

// Real and imaginary parts alternate.
struct Complex {
  static Vector times(Vector a, Vector s) { return product(a, s, std::make_integer_sequence<Index, LANES>{}); }

 private:
  template <Index... J>
  static Vector product(Vector a, Vector s, std::integer_sequence<Index, J...>) {
    const Vector sign = {(J % 2 ? 1.0f : -1.0f)...};
#if defined(__clang__)
    const Vector re = __builtin_shufflevector(a, a, (J - J % 2)...), im = __builtin_shufflevector(a, a, (J | 1)...);
    const Vector swapped = __builtin_shufflevector(s, s, (J ^ 1)...);
#else
    const Vector re = __builtin_shuffle(a, Bits{(J - J % 2)...}), im = __builtin_shuffle(a, Bits{(J | 1)...});
    const Vector swapped = __builtin_shuffle(s, Bits{(J ^ 1)...});
#endif
    return re * s + sign * im * swapped;
  }
};

template <class Number>
struct LinearRecurrence {
  static void run(const Sequences& shape, const float* a, const float* c, float* s, Index first, Index last) {
    for (Index n = first; n < last; ++n) {
      const Index begin = n * shape.T * shape.W;
      sequence(shape, a + begin, c + begin, s + begin);
    }
  }

 private:
  static void sequence(const Sequences& shape, const float* a, const float* c, float* s) {
    for (Index first = 0; first < shape.T; first += TILE_STEPS)
      tile(shape, a, c, s, first, first + TILE_STEPS < shape.T ? first + TILE_STEPS : shape.T);
  }

  static void tile(const Sequences& shape, const float* a, const float* c, float* s, Index first, Index last) {
    constexpr Index BLOCK = PARALLEL_VECTORS * LANES;
    const Index W = shape.W;
    if (W < LANES) return columns<1>(shape, a, c, s, 0, W, first, last);
    Index w = 0;
    for (; w + BLOCK <= W; w += BLOCK) columns<PARALLEL_VECTORS>(shape, a, c, s, w, LANES, first, last);
    for (; w + LANES <= W; w += LANES) columns<1>(shape, a, c, s, w, LANES, first, last);
    if (w < W) columns<1>(shape, a, c, s, W - LANES, LANES, first, last);  // overlaps the vector before
  }

  // Runs steps `first` to `last` of V vectors from column w on; the last vector has `filled` lanes.
  template <int V>
  static void columns(const Sequences& shape, const float* a, const float* c, float* s, Index w, Index filled,
                      Index first, Index last) {
    const Index stride = shape.reverse ? -shape.W : shape.W;
    const Index start = (shape.reverse ? (shape.T - 1) * shape.W : 0) + w;
    Vector state[V] = {};
    if (first)
      THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v)
        state[v] = read(s + start + (first - 1) * stride + v * LANES, filled);
    for (Index step = first; step < last; ++step) {
      const Index here = start + step * stride, factor = shape.late && step ? here - stride : here;
      THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) {
        const Vector moved = Number::times(read(a + factor + v * LANES, filled), state[v]);
        state[v] = (step ? moved : Vector{}) + read(c + here + v * LANES, filled);
        write(s + here + v * LANES, state[v], filled);
      }
    }
  }

  static Vector read(const float* from, Index filled) {
    if (filled == LANES) return load(from);
    Vector x = {};
    std::memcpy(&x, from, filled * sizeof(float));
    return x;
  }

  static void write(float* to, Vector x, Index filled) {
    if (filled == LANES) return store(to, x);
    std::memcpy(to, &x, filled * sizeof(float));
  }
};

}  // namespace throughtime::THROUGHTIME_ISA

#endif
