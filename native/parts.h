// How what a kernel works on lies in memory.
#ifndef THROUGHTIME_PARTS_H
#define THROUGHTIME_PARTS_H

#include "cells.h"
#include "problem.h"
#include "product.h"

namespace throughtime::THROUGHTIME_ISA {

constexpr Index CHUNK = 16 * LANES;  // rows of the products for the weights' gradients: as the second-level caches are

// A stride in floats that is an odd number of cache lines: rows of a power of two would all meet in a few sets.
inline Index stride_of(Index size) { return up(size, 16) + (up(size, 16) / 16 % 2 ? 0 : 16); }

// Neighbouring blocks that read the same columns of u.
struct Run {
  Index first, last;    // blocks
  Index begin, end;     // columns of u
  Index K() const { return end - begin; }
};

// What a matrix takes where it is packed.
using Packed = Index (*)(Index rows, Index K);

template <class Cell>
struct Layout {
  Index T, D, H;
  bool reverse;
  Index size;     // H in whole vectors
  Index saved;    // from step to step of what is saved
  Index pre;      // stride of pre-activations, and of the derivatives by them
  Index u;        // stride of u
  Index inputs;   // stride of the inputs' gradients
  Index h_last;   // blocks that read h: those before
  Index x_first;  // blocks that read x: from here on
  Run runs[3] = {};
  int count;

  explicit Layout(const Shape& shape)
      : T(shape.T), D(shape.D), H(shape.H), reverse(shape.reverse), size(up(H, LANES)), saved(Cell::SAVED * padded(H)),
        pre(stride_of(Cell::BLOCKS * size + LANES)), u(stride_of(up(H + 1 + D, LANES) + LANES)), inputs(up(D, LANES)), count(0) {
    h_last = x_first = 0;
    for (int block = 0; block < Cell::BLOCKS; ++block) {
      const bool h = Cell::SOURCES[block].h >= 0, x = Cell::SOURCES[block].x >= 0;
      if (h) h_last = block + 1;
      if (!x) x_first = block + 1;
      const Index begin = h ? 0 : H, end = x ? H + 1 + D : H + 1;
      if (count && runs[count - 1].begin == begin && runs[count - 1].end == end)
        runs[count - 1].last = block + 1;
      else
        runs[count++] = {block, block + 1, begin, end};
    }
  }

  Index step(Index s) const { return reverse ? T - 1 - s : s; }
  Index read_h() const { return h_last * H; }
  Index read_x() const { return (Cell::BLOCKS - x_first) * H; }
  Index rows(const Run& run) const { return (run.last - run.first) * H; }

  Index packed_run(const Run& run, Packed size) const { return up(size(rows(run), run.K()), 16); }
  Index packed_forward(Packed size) const {
    Index all = 0;
    for (int i = 0; i < count; ++i) all += packed_run(runs[i], size);
    return all;
  }

  // Of the way back: what goes into h, and behind it what goes into x.
  Index packed_into_h(Packed size) const { return up(size(H, read_h()), 16); }
  Index packed_backward(Packed size) const { return packed_into_h(size) + size(D, read_x()); }

  // Steps of so many rows whose share of the weights' gradients is one product.
  Index chunk(Index rows) const { return CHUNK / rows < T ? CHUNK / rows : T; }
};

// A run's blocks stand one after the other in the cell's weights too.
template <class Cell>
struct RunWeights {
  const float *h, *b, *x;  // null where the run has no such share

  RunWeights(const Layout<Cell>& at, const Run& run, const Weights& weights) {
    const Source source = Cell::SOURCES[run.first];
    h = source.h >= 0 ? weights.w_h + source.h * at.H * at.H : nullptr;
    b = source.b >= 0 ? weights.b + source.b * at.H : weights.b_h;
    x = source.x >= 0 ? weights.w_x + source.x * at.H * at.D : nullptr;
  }
};

// sums (BLOCKS * H, u) += d_pre' u, over K rows of u: `left(block)` is where the derivatives of a block stand.
template <class Cell, class Block>
inline void add_weights(const Layout<Cell>& at, Index K, Block left, Right us, float* sums) {
  for (int i = 0; i < at.count; ++i) {
    const Run& run = at.runs[i];
    for (Index block = run.first; block < run.last; ++block)
      product(at.H, up(run.K(), LANES), K, left(block), {us.at + run.begin, us.stride, us.skipped},
              {sums + block * at.H * at.u + run.begin, at.u, true});
  }
}

// Rows are too short for memcpy to be worth its call. The last vector overlaps the one before.
inline void copy(float* to, const float* from, Index count) {
  if (count < LANES) {
    for (Index j = 0; j < count; ++j) to[j] = from[j];
    return;
  }
  for (Index j = 0; j < count - LANES; j += LANES) store(to + j, load(from + j));
  store(to + count - LANES, load(from + count - LANES));
}

// u = [h | 1 | x], and zeros up to its stride: products read whole vectors, and what lay there may be slow to multiply.
template <class Cell>
inline void lay_out(const Layout<Cell>& at, const float* h, const float* x, float* u) {
  for (Index j = up(at.H + 1 + at.D, LANES) - LANES; j < at.u; j += LANES) store(u + j, Vector{});
  copy(u, h, at.H);
  u[at.H] = 1;
  copy(u + at.H + 1, x, at.D);
}

inline void swap(float*& one, float*& other) {
  float* const kept = one;
  one = other;
  other = kept;
}

inline void clear(float* at, Index count) { std::memset(at, 0, count * sizeof(float)); }

// A row of `filled` floats, and zeros up to `size`.
inline void copy_padded(float* to, const float* from, Index filled, Index size) {
  copy(to, from, filled);
  clear(to + filled, size - filled);
}

// Consecutive parts of one piece of memory, each aligned to 64 bytes.
struct Parts {
  float* at;
  float* take(Index count) {
    float* part = at;
    at += up(count, 16);
    return part;
  }
};

}  // namespace throughtime::THROUGHTIME_ISA

#endif
