// The recurrence of cells that are linear in their state, s' = a s + c, unit by unit.
//
// It reads each number once and writes each once: memory is its limit, not arithmetic. So a few vectors of a sequence
// go through some steps with their state in registers, then the next vectors through the same steps, of which every
// cache line is used as long as it is near.
#ifndef THROUGHTIME_LINEAR_H
#define THROUGHTIME_LINEAR_H

#include "problem.h"
#include "simd.h"

namespace throughtime::THROUGHTIME_ISA {

constexpr Index SIDE_BY_SIDE = 4;  // vectors: none waits for its last product
constexpr Index TILE = 32;         // steps

struct Real {
  static Vector times(Vector a, Vector s) { return a * s; }
};

// Real and imaginary parts stand in turns.
struct Complex {
  static Vector times(Vector a, Vector s) { return product(a, s, std::make_integer_sequence<Index, LANES>{}); }

 private:
  template <Index... J>
  static Vector product(Vector a, Vector s, std::integer_sequence<Index, J...>) {
    const Vector sign = {(J % 2 ? 1.0f : -1.0f)...};
#if defined(__clang__)
    const Vector re = __builtin_shufflevector(a, a, (J - J % 2)...), im = __builtin_shufflevector(a, a, (J | 1)...);
    const Vector turned = __builtin_shufflevector(s, s, (J ^ 1)...);
#else
    const Vector re = __builtin_shuffle(a, Bits{(J - J % 2)...}), im = __builtin_shuffle(a, Bits{(J | 1)...});
    const Vector turned = __builtin_shuffle(s, Bits{(J ^ 1)...});
#endif
    return re * s + sign * im * turned;
  }
};

template <class Number>
struct LinearRecurrence {
  // Sequences `first` to `last` of (N, T, W) each; where `late`, a step multiplies by the a of the step before it.
  static void run(const Sequences& shape, const float* a, const float* c, float* s, Index first, Index last) {
    for (Index n = first; n < last; ++n) {
      const Index from = n * shape.T * shape.W;
      one(shape, a + from, c + from, s + from);
    }
  }

 private:
  static void one(const Sequences& shape, const float* a, const float* c, float* s) {
    for (Index first = 0; first < shape.T; first += TILE)
      tile(shape, a, c, s, first, first + TILE < shape.T ? first + TILE : shape.T);
  }

  static void tile(const Sequences& shape, const float* a, const float* c, float* s, Index first, Index last) {
    constexpr Index BLOCK = SIDE_BY_SIDE * LANES;
    const Index W = shape.W;
    if (W < LANES) return columns<1>(shape, a, c, s, 0, W, first, last);
    Index w = 0;
    for (; w + BLOCK <= W; w += BLOCK) columns<SIDE_BY_SIDE>(shape, a, c, s, w, LANES, first, last);
    for (; w + LANES <= W; w += LANES) columns<1>(shape, a, c, s, w, LANES, first, last);
    if (w < W) columns<1>(shape, a, c, s, W - LANES, LANES, first, last);  // some of them a second time
  }

  // Steps `first` to `last` of V vectors from column w on, of which the last has `filled` lanes.
  template <int V>
  static void columns(const Sequences& shape, const float* a, const float* c, float* s, Index w, Index filled,
                      Index first, Index last) {
    const Index stride = shape.reverse ? -shape.W : shape.W, start = (shape.reverse ? (shape.T - 1) * shape.W : 0) + w;
    Vector state[V] = {};
    if (first)
      THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) state[v] = read(s + start + (first - 1) * stride + v * LANES, filled);
    for (Index step = first; step < last; ++step) {
      const Index at = start + step * stride, factor = shape.late && step ? at - stride : at;
      THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) {
        const Vector moved = Number::times(read(a + factor + v * LANES, filled), state[v]);
        state[v] = (step ? moved : Vector{}) + read(c + at + v * LANES, filled);
        write(s + at + v * LANES, state[v], filled);
      }
    }
  }

  static Vector read(const float* at, Index filled) {
    if (filled == LANES) return load(at);
    Vector x = {};
    std::memcpy(&x, at, filled * sizeof(float));
    return x;
  }

  static void write(float* at, Vector x, Index filled) {
    if (filled == LANES) return store(at, x);
    std::memcpy(at, &x, filled * sizeof(float));
  }
};

}  // namespace throughtime::THROUGHTIME_ISA

#endif
