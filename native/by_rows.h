// The loops over time with a sequence in each lane: for whole vectors of sequences. Nothing is padded, and a step of the
// cell sees H * R numbers in a row, of R sequences.
//
// The weights' rows are [w_h | b | w_x] and the columns they meet are u = [h | 1 | x]: one product takes the state, the
// bias and the input. The way back reads the same weights on their side.
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

  static Index packed(const Shape& shape) { return Cell::BLOCKS * shape.H * Layout<Cell>(shape).u; }

  static void pack(const Shape& shape, const Weights& weights, float* to) {
    const Layout<Cell> at(shape);
    const Index H = at.H, D = at.D;
    for (int block = 0; block < Cell::BLOCKS; ++block) {
      const Source source = Cell::SOURCES[block];
      for (Index j = 0; j < H; ++j, to += at.u) {
        if (source.h >= 0) copy(to, weights.w_h + (source.h * H + j) * H, H);
        to[H] = source.b >= 0 ? weights.b[source.b * H + j] : weights.b_h[j];
        if (source.x >= 0) copy(to + H + 1, weights.w_x + (source.x * H + j) * D, D);
      }
    }
  }

  static Index scratch_forward(const Shape& shape) {
    const Layout<Cell> at(shape);
    return MOST * (at.H + 1 + at.D + (Cell::BLOCKS + 3) * at.H) + 5 * 16;
  }

  void forward(const float* packed, const Inputs& in, const Outputs& out, Index first, float* scratch) const {
    const Index H = at.H, D = at.D, T = at.T;
    Parts parts{scratch};
    float* const u = parts.take((H + 1 + D) * R);
    float* const pre = parts.take(Cell::BLOCKS * N);
    float* const c = parts.take(N);
    float* const kept = parts.take(2 * N);  // of the state, for those that have no such step
    transposed(in.h + first * H, H, R, H, u, R);
    for (Index r = 0; r < R; ++r) u[N + r] = 1;
    if (Cell::MEMORY) transposed(in.c + first * H, H, R, H, c, R);
    float* saved = out.saved ? out.saved + first * T * at.saved : nullptr;
    for (Index s = 0; s < T; ++s) {
      const Index t = at.step(s), place = first * T + t;
      transposed(in.xs + place * D, T * D, R, D, u + N + R, R);
      for (int i = 0; i < at.count; ++i) {
        const Run& run = at.runs[i];
        product((run.last - run.first) * H, R / LANES, run.end - run.begin,
                {packed + run.first * H * at.u + run.begin, at.u, 1}, {u + run.begin * R, R},
                {pre + run.first * N, R, false});
      }
      const bool all_see = sees_all(in, place);
      if (!all_see) {
        copy(kept, u, N);
        if (Cell::MEMORY) copy(kept + N, c, N);
      }
      Cell::forward(pre, u, c, saved, N);
      if (!all_see) {
        keep(in, place, u, kept);
        if (Cell::MEMORY) keep(in, place, c, kept + N);
        if (Cell::MEMORY && saved) copy(saved + (Cell::SAVED - 1) * N, c, N);
      }
      transposed(u, R, H, R, out.hs + place * H, T * H);
      if (saved) saved += Cell::SAVED * N;
    }
    transposed(u, R, H, R, out.h + first * H, H);
    if (Cell::MEMORY) transposed(c, R, H, R, out.c + first * H, H);
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

  static Index steps_of_chunk(const Layout<Cell>& at, Index rows) { return CHUNK / rows < at.T ? CHUNK / rows : at.T; }

  static Index scratch_backward(const Shape& shape) {
    const Layout<Cell> at(shape);
    const Index rows = CHUNK < MOST * at.T ? CHUNK : MOST * at.T;
    return rows * (at.u + Cell::BLOCKS * at.H) + MOST * (8 * at.H + at.D) + 10 * 16;
  }

  void backward(const float* packed, const Inputs& in, const Cotangents& came, const Gradients& out, Index first,
                float* sums, float* scratch) const {
    const Index H = at.H, D = at.D, T = at.T, chunk = steps_of_chunk(at, R);
    Parts parts{scratch};
    float* const us = parts.take(chunk * R * at.u);
    float* const d_pre = parts.take(chunk * Cell::BLOCKS * N);
    float* const d_x = parts.take(D * R);
    float* const d_h = parts.take(N);
    float* const d_c = parts.take(N);
    float* const c_first = parts.take(N);
    float* const d_here = parts.take(N);
    float* const kept = parts.take(2 * N);
    float* after = parts.take(N);  // the state after a step, and before it
    float* before = parts.take(N);
    clear(us, chunk * R * at.u);
    if (Cell::MEMORY) transposed(in.c + first * H, H, R, H, c_first, R);
    transposed(came.d_h + first * H, H, R, H, d_h, R);
    if (Cell::MEMORY) transposed(came.d_c + first * H, H, R, H, d_c, R);
    const float* saved = came.saved + first * T * at.saved + T * Cell::SAVED * N;
    if (T)
      transposed(came.hs + (first * T + at.step(T - 1)) * H, T * H, R, H, after, R);
    Index done = 0;
    for (Index s = T; s-- > 0;) {
      const Index t = at.step(s), place = first * T + t;
      saved -= Cell::SAVED * N;
      const float* const h = s ? came.hs + (first * T + at.step(s - 1)) * H : in.h + first * H;
      const Index row = s ? T * H : H;
      transposed(h, row, R, H, before, R);
      for (Index r = 0; r < R; ++r) {
        float* const u = us + (done * R + r) * at.u;
        copy(u, h + r * row, H);
        u[H] = 1;
        copy(u + H + 1, in.xs + (place + r * T) * D, D);
      }
      transposed(came.d_hs + place * H, T * H, R, H, d_here, R);
      for (Index j = 0; j < N; j += LANES) store(d_h + j, load(d_h + j) + load(d_here + j));
      const bool all_see = sees_all(in, place);
      if (!all_see) {
        copy(kept, d_h, N);
        if (Cell::MEMORY) copy(kept + N, d_c, N);
      }
      float* const d_step = d_pre + done * Cell::BLOCKS * N;
      const float* const c = s ? saved - N : c_first;  // the last of the blocks of the step before
      Cell::backward(after, before, c, saved, d_h, d_c, d_step, N);
      if (!all_see) {
        keep(in, place, d_h, kept);
        if (Cell::MEMORY) keep(in, place, d_c, kept + N);
        for (int block = 0; block < Cell::BLOCKS; ++block) keep(in, place, d_step + block * N, nullptr);
      }
      product(H, R / LANES, at.h_last * H, {packed, 1, at.u}, {d_step, R}, {d_h, R, true});
      if (out.xs) {
        product(D, R / LANES, (Cell::BLOCKS - at.x_first) * H, {packed + at.x_first * H * at.u + H + 1, 1, at.u},
                {d_step + at.x_first * N, R}, {d_x, R, false});
        transposed(d_x, R, D, R, out.xs + place * D, T * D);
      }
      float* const used = after;
      after = before;
      before = used;
      if (++done < chunk && s) continue;
      add_weights(done, us, d_pre, sums);
      done = 0;
    }
    transposed(d_h, R, H, R, out.h + first * H, H);
    if (Cell::MEMORY) transposed(d_c, R, H, R, out.c + first * H, H);
  }

  // sums (BLOCKS * size, u) += d_pre' u, over the steps of a chunk.
  void add_weights(Index steps, const float* us, const float* d_pre, float* sums) const {
    for (int i = 0; i < at.count; ++i) {
      const Run& run = at.runs[i];
      for (Index block = run.first; block < run.last; ++block)
        product(at.H, up(run.end - run.begin, LANES) / LANES, steps * R, {d_pre + block * N, R, 1, R, Cell::BLOCKS * N},
                {us + run.begin, at.u}, {sums + block * at.size * at.u + run.begin, at.u, true});
    }
  }
};

}  // namespace throughtime::THROUGHTIME_ISA

#endif
