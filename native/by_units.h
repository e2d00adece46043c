// The loops over time with a unit in each lane: for the few sequences that fill no vector.
//
// The weights are packed once into panels, and a row of what meets them is u = [h | 1 | x]: one product takes the state,
// the bias and the input.
#ifndef THROUGHTIME_BY_UNITS_H
#define THROUGHTIME_BY_UNITS_H

#include "cells.h"
#include "parts.h"
#include "problem.h"
#include "product.h"
#include "row_product.h"

namespace throughtime::THROUGHTIME_ISA {

template <class Cell>
struct ByUnits {
  static_assert(!Cell::SPARSE || Cell::BLOCKS == 1, "a sparse row has no runs");

  // A single row has panels of its own.
  static int wide(Index rows) { return rows == 1 ? WIDEST : WIDE; }

  static void state_product(Index rows, Index columns, Index K, Left a, const float* packed, Out c, bool backwards) {
    if (rows == 1 && Cell::SPARSE)
      sparse_row_product(columns, K, a.at, packed, c);
    else if (rows == 1)
      row_product(columns, K, a, packed, c, backwards);
    else
      product(rows, columns, K, a, {packed, 0}, c, backwards);
  }

  static Index packed_forward(const Shape& shape) { return Layout<Cell>(shape).packed_forward(packed_right_size); }

  // Each run's weights on their side: what one column of u means to all of the run's blocks is a row.
  static void pack_forward(const Shape& shape, const Weights& weights, Index rows, float* packed) {
    const Layout<Cell> at(shape);
    for (int i = 0; i < at.count; ++i) {
      const Run& run = at.runs[i];
      const RunWeights<Cell> of(at, run, weights);
      const Panels panels(at.rows(run), wide(rows));
      for (Index p = 0; p < panels.count; ++p)
        for (Index v = 0; v < panels.width(p); ++v) {
          const Index j = (panels.first(p) + v) * LANES, left = at.rows(run) - j;
          float* const to = packed + panels.first(p) * LANES * run.K() + v * LANES;
          pack_lanes(at, of, j, left < LANES ? left : LANES, to, panels.stride(p));
        }
      packed += at.packed_run(run, packed_right_size);
    }
  }

  static void pack_lanes(const Layout<Cell>& at, const RunWeights<Cell>& of, Index j, Index filled, float* to,
                         Index stride) {
    const Index H = at.H, D = at.D;
    if (of.h) to = turn(of.h + j * H, H, H, filled, to, stride);
    to = turn(of.b + j, 1, 1, filled, to, stride);
    if (of.x) turn(of.x + j * D, D, D, filled, to, stride);
  }

  // Writes `columns` rows, `stride` apart: columns of the `filled` rows at `from`.
  static float* turn(const float* from, Index row, Index columns, Index filled, float* to, Index stride) {
    Index k = 0;
    if (filled == LANES)
      for (; k + LANES <= columns; k += LANES) transpose(from + k, row, to + k * stride, stride);
    for (; k < columns; ++k)
      for (Index lane = 0; lane < filled; ++lane) to[k * stride + lane] = from[lane * row + k];
    return to + columns * stride;
  }

  static Index scratch_forward(const Shape& shape, Index rows) {
    const Layout<Cell> at(shape);
    return rows * (at.u + at.pre + at.size) + at.saved + 4 * 16;
  }

  static void forward(const Shape& shape, const float* packed, const Inputs& in, const Outputs& out, Index first,
                      Index last, float* scratch) {
    const Layout<Cell> at(shape);
    const Index rows = last - first, H = at.H, D = at.D;
    Parts parts{scratch};
    float* const u = parts.take(rows * at.u);
    float* const pre = parts.take(rows * at.pre);
    float* const memory = parts.take(rows * at.size);
    float* const unkept = parts.take(at.saved);
    for (Index r = 0; r < rows; ++r) {
      copy_padded(u + r * at.u, in.h + (first + r) * H, H, at.u);
      if (Cell::MEMORY) copy_padded(memory + r * at.size, in.c + (first + r) * H, H, at.size);
    }
    for (Index s = 0; s < at.T; ++s) {
      const Index t = at.step(s);
      for (Index r = 0; r < rows; ++r) {
        u[r * at.u + H] = 1;
        copy(u + r * at.u + H + 1, in.xs + ((first + r) * at.T + t) * D, D);
      }
      const float* weights = packed;
      for (int i = 0; i < at.count; ++i) {
        const Run& run = at.runs[i];
        state_product(rows, at.rows(run), run.K(), {u + run.begin, at.u, 1}, weights,
                      {pre + run.first * H, at.pre, false}, s % 2);
        weights += at.packed_run(run, packed_right_size);
      }
      for (Index r = 0; r < rows; ++r) {
        const Index place = (first + r) * at.T + t;
        float* const h = u + r * at.u;
        float* const c = memory + r * at.size;
        float* const saved = out.saved ? out.saved + place * at.saved : unkept;
        if (!in.mask || in.mask[place])
          Cell::forward(pre + r * at.pre, H, h, c, saved, at.size);
        else if (Cell::MEMORY)
          copy(saved + (Cell::SAVED - 1) * at.size, c, at.size);
        copy(out.hs + place * H, h, H);
      }
    }
    for (Index r = 0; r < rows; ++r) {
      copy(out.h + (first + r) * H, u + r * at.u, H);
      if (Cell::MEMORY) copy(out.c + (first + r) * H, memory + r * at.size, H);
    }
  }

  static Index packed_backward(const Shape& shape) { return Layout<Cell>(shape).packed_backward(packed_right_size); }

  // The weights as they lie.
  static void pack_backward(const Shape& shape, const Weights& weights, Index rows, float* packed) {
    const Layout<Cell> at(shape);
    pack_rows(at, weights.w_h, &Source::h, 0, at.h_last, Panels(at.H, wide(rows)), at.H, packed);
    packed += at.packed_into_h(packed_right_size);
    pack_rows(at, weights.w_x, &Source::x, at.x_first, Cell::BLOCKS, Panels(at.D), at.D, packed);
  }

  static void pack_rows(const Layout<Cell>& at, const float* weights, int Source::* gate, Index first, Index last,
                        const Panels& panels, Index columns, float* to) {
    for (Index p = 0; p < panels.count; ++p)
      for (Index block = first; block < last; ++block) {
        const float* from = weights + Cell::SOURCES[block].*gate * at.H * columns + panels.first(p) * LANES;
        const Index filled = columns - panels.first(p) * LANES;
        for (Index j = 0; j < at.H; ++j, to += panels.stride(p), from += columns)
          copy(to, from, filled < panels.stride(p) ? filled : panels.stride(p));
      }
  }

  static Index scratch_backward(const Shape& shape, Index rows) {
    const Layout<Cell> at(shape);
    return at.chunk(rows) * rows * (at.u + at.pre + at.inputs) + (rows * 5 + 1) * at.size + 9 * 16;
  }

  static Index sums(const Shape& shape) {
    const Layout<Cell> at(shape);
    return Cell::BLOCKS * at.H * at.u;
  }

  static void backward(const Shape& shape, const float* packed, const Inputs& in, const Cotangents& came,
                       const Gradients& out, Index first, Index last, float* sums, float* scratch) {
    const Layout<Cell> at(shape);
    const Index rows = last - first, H = at.H, D = at.D, T = at.T, chunk = at.chunk(rows);
    const float* const into_h = packed;
    const float* const into_x = packed + at.packed_into_h(packed_right_size);
    Parts parts{scratch};
    float* const us = parts.take(chunk * rows * at.u);
    float* const d_pre = parts.take(chunk * rows * at.pre);
    float* const d_xs = parts.take(chunk * rows * at.inputs);
    float* const d_h = parts.take(rows * at.size);
    float* const d_c = parts.take(rows * at.size);
    float* after = parts.take(rows * at.size);   // the state after a step, and before it
    float* before = parts.take(rows * at.size);
    float* const c_first = parts.take(rows * at.size);
    float* const d_y = parts.take(at.size);
    clear(d_y, at.size);
    for (Index r = 0; r < rows; ++r) {
      const Index row = first + r;
      if (Cell::MEMORY) copy_padded(c_first + r * at.size, in.c + row * H, H, at.size);
      copy_padded(d_h + r * at.size, came.d_h + row * H, H, at.size);
      if (Cell::MEMORY) copy_padded(d_c + r * at.size, came.d_c + row * H, H, at.size);
      copy_padded(after + r * at.size, T ? came.hs + (row * T + at.step(T - 1)) * H : in.h + row * H, H, at.size);
      clear(before + r * at.size, at.size);
    }
    Index done = 0;  // steps in the chunk
    for (Index s = T; s-- > 0;) {
      const Index t = at.step(s);
      float* const d_here = d_pre + done * rows * at.pre;
      for (Index r = 0; r < rows; ++r) {
        const Index row = first + r, place = row * T + t;
        const float* const h = s ? came.hs + (row * T + at.step(s - 1)) * H : in.h + row * H;
        if (Cell::READS_H) copy(before + r * at.size, h, H);
        lay_out(at, h, in.xs + place * D, us + (done * rows + r) * at.u);
        copy(d_y, came.d_hs + place * H, H);
        float* const d_state = d_h + r * at.size;
        float* const d_row = d_here + r * at.pre;
        if (in.mask && !in.mask[place]) {
          for (Index j = 0; j < at.size; j += LANES) store(d_state + j, load(d_state + j) + load(d_y + j));
          clear(d_row, Cell::BLOCKS * at.size);
          continue;
        }
        const float* const saved = came.saved + place * at.saved;
        const float* c = nullptr;  // before the step
        if (Cell::MEMORY)
          c = s ? came.saved + (row * T + at.step(s - 1)) * at.saved + (Cell::SAVED - 1) * at.size : c_first + r * at.size;
        Cell::backward(after + r * at.size, before + r * at.size, c, saved, d_y, d_state, d_c + r * at.size, d_row, at.size);
      }
      state_product(rows, H, at.read_h(), {d_here, at.pre, 1, H, at.size}, into_h, {d_h, at.size, true}, s % 2);
      swap(after, before);
      if (++done < chunk && s) continue;
      const auto left = [&](Index block) -> Left { return {d_pre + block * at.size, 1, at.pre}; };
      add_weights(at, done * rows, left, {us, at.u}, sums);
      if (out.xs) {
        product(done * rows, D, at.read_x(), {d_pre + at.x_first * at.size, at.pre, 1, H, at.size}, {into_x, 0},
                {d_xs, at.inputs, false});
        for (Index i = 0; i < done; ++i)
          for (Index r = 0; r < rows; ++r)
            copy(out.xs + ((first + r) * T + at.step(s + done - 1 - i)) * D, d_xs + (i * rows + r) * at.inputs, D);
      }
      done = 0;
    }
    for (Index r = 0; r < rows; ++r) {
      copy(out.h + (first + r) * H, d_h + r * at.size, H);
      if (Cell::MEMORY) copy(out.c + (first + r) * H, d_c + r * at.size, H);
    }
  }

  static void unpack(const Shape& shape, const float* sums, const WeightGradients& out) {
    const Layout<Cell> at(shape);
    const Index H = at.H, D = at.D;
    for (Index block = 0; block < Cell::BLOCKS; ++block) {
      const Source source = Cell::SOURCES[block];
      for (Index j = 0; j < H; ++j) {
        const float* const row = sums + (block * H + j) * at.u;
        if (source.h >= 0) copy(out.w_h + (source.h * H + j) * H, row, H);
        if (source.x >= 0) copy(out.w_x + (source.x * H + j) * D, row + H + 1, D);
        if (source.b >= 0) out.b[source.b * H + j] = row[H];
        if (source.b_h >= 0) out.b_h[j] = row[H];
      }
    }
  }
};

}  // namespace throughtime::THROUGHTIME_ISA

#endif
