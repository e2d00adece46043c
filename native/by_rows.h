// The loops over time with a sequence in each lane: for whole vectors of sequences. Nothing is padded, and a step of the
// cell sees H * R numbers in a row, of R sequences.
//
// The rows of the packed weights are [w_h | b | w_x], and a column of what meets them is u = [h | 1 | x]: one product takes
// the state, the bias and the input.
#ifndef THROUGHTIME_BY_ROWS_H
#define THROUGHTIME_BY_ROWS_H

#include "cells.h"
#include "parts.h"
#include "problem.h"
#include "product.h"

namespace throughtime::THROUGHTIME_ISA {

template <class Cell>
struct ByRows {
  static constexpr Index MOST = 2 * LANES;  // sequences that go through time together

  // How many of so many go together: whole vectors, or none.
  static Index together(Index rows) { return rows < MOST ? rows / LANES * LANES : MOST; }

  const Layout<Cell> at;
  const Index R, N;  // sequences, and the numbers in one block of a step

  ByRows(const Shape& shape, Index rows) : at(shape), R(rows), N(at.H * rows) {}

  static Index packed_forward(const Shape& shape) { return Layout<Cell>(shape).packed_forward(packed_left_size); }

  static void pack_forward(const Shape& shape, const Weights& weights, float* to) {
    const Layout<Cell> at(shape);
    const Index H = at.H, D = at.D;
    for (int i = 0; i < at.count; ++i) {
      const Run& run = at.runs[i];
      const RunWeights<Cell> of(at, run, weights);
      const Index rows = at.rows(run), K = run.K();
      float* rest = to;
      if (of.h) rest = pack_left(of.h, {H, 1}, rows, H, K, rest);
      rest = pack_left(of.b, {1, 1}, rows, 1, K, rest);
      if (of.x) pack_left(of.x, {D, 1}, rows, D, K, rest);
      to += at.packed_run(run, packed_left_size);
    }
  }

  static Index scratch_forward(const Shape& shape) {
    const Layout<Cell> at(shape);
    return MOST * (at.H + 1 + at.D + (Cell::BLOCKS + 3 + Cell::SAVED) * at.H) + 6 * 16;
  }

  void forward(const float* packed, const Inputs& in, const Outputs& out, Index first, float* scratch) const {
    const Index H = at.H, D = at.D, T = at.T;
    Parts parts{scratch};
    float* const u = parts.take((H + 1 + D) * R);
    float* const pre = parts.take(Cell::BLOCKS * N);
    float* const c = parts.take(N);
    float* const kept = parts.take(2 * N);  // of the state, for those that have no such step
    float* const unkept = parts.take(Cell::SAVED * N);
    transposed(in.h + first * H, H, R, H, u, R);
    for (Index r = 0; r < R; ++r) u[N + r] = 1;
    if (Cell::MEMORY) transposed(in.c + first * H, H, R, H, c, R);
    for (Index s = 0; s < T; ++s) {
      const Index t = at.step(s), place = first * T + t;
      float* const saved = out.saved ? out.saved + first * T * at.saved + s * Cell::SAVED * N : unkept;
      transposed(in.xs + place * D, T * D, R, D, u + N + R, R);
      activate(packed, u, pre);
      const bool all_see = sees_all(in, place);
      if (!all_see) {
        copy(kept, u, N);
        if (Cell::MEMORY) copy(kept + N, c, N);
      }
      Cell::forward(pre, N, u, c, saved, N);
      if (!all_see) {
        keep(in, place, u, kept);
        if (Cell::MEMORY) keep(in, place, c, kept + N);
        if (Cell::MEMORY) copy(saved + (Cell::SAVED - 1) * N, c, N);
      }
      transposed(u, R, H, R, out.hs + place * H, T * H);
    }
    transposed(u, R, H, R, out.h + first * H, H);
    if (Cell::MEMORY) transposed(c, R, H, R, out.c + first * H, H);
  }

  // The pre-activations, from u.
  void activate(const float* packed, const float* u, float* pre) const {
    for (int i = 0; i < at.count; ++i) {
      const Run& run = at.runs[i];
      product(at.rows(run), R, run.K(), packed_left(packed, run.K()), {u + run.begin * R, R},
              {pre + run.first * N, R, false});
      packed += at.packed_run(run, packed_left_size);
    }
  }

  // Whether each sequence has the step at `place` of the first of them.
  bool sees_all(const Inputs& in, Index place) const {
    bool all = true;
    for (Index r = 0; in.mask && r < R; ++r) all &= in.mask[place + r * at.T] != 0;
    return all;
  }

  // What those sequences that do not have the step had before.
  void keep(const Inputs& in, Index place, float* to, const float* before) const {
    for (Index r = 0; r < R; ++r)
      if (!in.mask[place + r * at.T])
        for (Index j = r; j < N; j += R) to[j] = before ? before[j] : 0;
  }

  static Index packed_backward(const Shape& shape) { return Layout<Cell>(shape).packed_backward(packed_left_size); }

  // The weights on their side.
  static void pack_backward(const Shape& shape, const Weights& weights, float* to) {
    const Layout<Cell> at(shape);
    const Index H = at.H, D = at.D;
    for (Index block = 0; block < at.h_last; ++block) {
      const float* const from = weights.w_h + Cell::SOURCES[block].h * H * H;
      pack_left(from, {1, H}, H, H, at.read_h(), to + block * H * TALL);
    }
    to += at.packed_into_h(packed_left_size);
    for (Index block = at.x_first; block < Cell::BLOCKS; ++block) {
      const float* const from = weights.w_x + Cell::SOURCES[block].x * H * D;
      pack_left(from, {1, D}, D, H, at.read_x(), to + (block - at.x_first) * H * TALL);
    }
  }

  static Index scratch_backward(const Shape& shape) {
    const Layout<Cell> at(shape);
    return at.chunk(MOST) * MOST * (at.u + Cell::BLOCKS * at.H) + MOST * (8 * at.H + at.D) + 10 * 16;
  }

  void backward(const float* packed, const Inputs& in, const Cotangents& came, const Gradients& out, Index first,
                const Sums& sums, float* scratch) const {
    const Index H = at.H, D = at.D, T = at.T, chunk = at.chunk(R);
    const float* const into_x = packed + at.packed_into_h(packed_left_size);
    Parts parts{scratch};
    float* const us = parts.take(chunk * R * at.u);
    float* const d_pre = parts.take(chunk * Cell::BLOCKS * N);
    float* const d_x = parts.take(D * R);
    float* const d_h = parts.take(N);
    float* const d_c = parts.take(N);
    float* const c_first = parts.take(N);
    float* const d_y = parts.take(N);
    float* const kept = parts.take(2 * N);
    float* after = parts.take(N);  // the state after a step, and before it
    float* before = parts.take(N);
    if (Cell::MEMORY) transposed(in.c + first * H, H, R, H, c_first, R);
    transposed(came.d_h + first * H, H, R, H, d_h, R);
    if (Cell::MEMORY) transposed(came.d_c + first * H, H, R, H, d_c, R);
    const float* saved = came.saved + first * T * at.saved + T * Cell::SAVED * N;
    if (Cell::READS_H && T) transposed(came.hs + (first * T + at.step(T - 1)) * H, T * H, R, H, after, R);
    Index done = 0;
    for (Index s = T; s-- > 0;) {
      const Index t = at.step(s), place = first * T + t;
      saved -= Cell::SAVED * N;
      const float* const h = s ? came.hs + (first * T + at.step(s - 1)) * H : in.h + first * H;
      const Index row = s ? T * H : H;
      if (Cell::READS_H) transposed(h, row, R, H, before, R);
      for (Index r = 0; r < R; ++r) lay_out(at, h + r * row, in.xs + (place + r * T) * D, us + (done * R + r) * at.u);
      transposed(came.d_hs + place * H, T * H, R, H, d_y, R);
      const bool all_see = sees_all(in, place);
      if (!all_see) {
        for (Index j = 0; j < N; j += LANES) store(kept + j, load(d_h + j) + load(d_y + j));
        if (Cell::MEMORY) copy(kept + N, d_c, N);
      }
      float* const d_step = d_pre + done * Cell::BLOCKS * N;
      const float* const c = Cell::MEMORY && s ? saved - N : c_first;  // the last of the blocks of the step before
      Cell::backward(after, before, c, saved, d_y, d_h, d_c, d_step, N);
      if (!all_see) {
        keep(in, place, d_h, kept);
        if (Cell::MEMORY) keep(in, place, d_c, kept + N);
        for (int block = 0; block < Cell::BLOCKS; ++block) keep(in, place, d_step + block * N, nullptr);
      }
      product(H, R, at.read_h(), packed_left(packed, at.read_h()), {d_step, R}, {d_h, R, true});
      if (out.xs) {
        product(D, R, at.read_x(), packed_left(into_x, at.read_x()), {d_step + at.x_first * N, R}, {d_x, R, false});
        transposed(d_x, R, D, R, out.xs + place * D, T * D);
      }
      swap(after, before);
      if (++done < chunk && s) continue;
      add_sums(done, us, d_pre, sums);
      done = 0;
    }
    transposed(d_h, R, H, R, out.h + first * H, H);
    if (Cell::MEMORY) transposed(d_c, R, H, R, out.c + first * H, H);
  }

  // To each part's sums its share, over the steps of a chunk.
  void add_sums(Index steps, const float* us, const float* d_pre, const Sums& sums) const {
    const Index rows = sums.rows < R ? sums.rows : R;
    for (Index r = 0; r < R; r += rows) {
      const auto left = [&](Index block) -> Left { return {d_pre + block * N + r, R, 1, rows, Cell::BLOCKS * N}; };
      add_weights(at, steps * rows, left, {us + r * at.u, at.u, R - rows}, sums.at + r / rows * sums.size);
    }
  }
};

}  // namespace throughtime::THROUGHTIME_ISA

#endif
