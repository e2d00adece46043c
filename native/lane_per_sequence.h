// The loops over time with a sequence in each lane, for whole vectors of sequences. Nothing is padded: a block of a
// step is N = H * R adjacent numbers of R sequences.
//
// The packed weights are left sides of products, with a column u = [h | 1 | x] for each sequence.
#ifndef THROUGHTIME_LANE_PER_SEQUENCE_H
#define THROUGHTIME_LANE_PER_SEQUENCE_H

#include "cells.h"
#include "layout.h"
#include "packed_weights.h"
#include "problem.h"
#include "product.h"
#include "weight_sums.h"

namespace throughtime::THROUGHTIME_ISA {

template <class Cell>
struct LanePerSequence {
  static constexpr Index MAX_ROWS = 2 * LANES;  // sequences that run through time together

  // Returns how many of `rows` sequences run together: whole vectors, or 0.
  static Index rows_together(Index rows) { return rows < MAX_ROWS ? rows / LANES * LANES : MAX_ROWS; }

  // The sequences of a pass: R of them, from `first` on.
  struct Rows {
    const Layout<Cell> layout;
    const std::uint8_t* const mask;
    const Index first, R, N;
    const Index T = layout.T, D = layout.D, H = layout.H;

    Rows(const Shape& shape, const Inputs& in, Index first, Index R)
        : layout(shape), mask(in.mask), first(first), R(R), N(shape.H * R) {}

    // Returns the index in (B, T) of the first sequence at step s; those of the others follow T apart.
    Index index(Index s) const { return first * T + layout.time(s); }

    Index offset_of_residuals(Index s) const {
      return first * T * layout.residual_stride + s * Cell::RESIDUALS * N;
    }

    bool all_observed(Index s) const {
      bool all = true;
      for (Index r = 0; mask && r < R; ++r) all &= mask[index(s) + r * T] != 0;
      return all;
    }

    // Calls write(j) for the place of each number in a block whose sequence is masked at step s.
    template <class Write>
    void for_masked(Index s, Write write) const {
      for (Index r = 0; r < R; ++r)
        if (!mask[index(s) + r * T])
          for (Index j = r; j < N; j += R) write(j);
    }

    void restore_masked(Index s, float* block, const float* kept) const {
      for_masked(s, [&](Index j) { block[j] = kept[j]; });
    }

    void clear_masked(Index s, float* block) const {
      for_masked(s, [&](Index j) { block[j] = 0; });
    }

    // Transpose between (R, size), with rows `stride` apart, and the lanes of a kernel, (size, R).
    void load_lanes(const float* from, Index stride, Index size, float* lanes) const {
      transpose(from, stride, R, size, lanes, R);
    }

    void store_lanes(const float* lanes, Index size, float* to, Index stride) const {
      transpose(lanes, R, size, R, to, stride);
    }
  };

  struct ForwardBuffers : Arena {
    float *u, *pre, *c, *kept_h, *kept_c, *unused_residuals;

    ForwardBuffers(const Layout<Cell>& layout, Index R, float* scratch = nullptr) : Arena(scratch) {
      const Index N = layout.H * R;
      u = take((layout.H + 1 + layout.D) * R);
      pre = take(Cell::BLOCKS * N);
      c = take(N);
      kept_h = take(2 * N);
      kept_c = kept_h + N;
      unused_residuals = take(Cell::RESIDUALS * N);
    }
  };

  static Index forward_scratch_size(const Shape& shape) { return ForwardBuffers(Layout<Cell>(shape), MAX_ROWS).size(); }

  class Forward : Rows {
   public:
    Forward(const ForwardPass& pass, const float* packed, Index first, Index R, float* scratch)
        : Rows(pass.shape, pass.in, first, R),
          in(pass.in),
          out(pass.out),
          packed(packed),
          buffers(layout, R, scratch) {}

    void run() const {
      load_state();
      for (Index s = 0; s < T; ++s) {
        load_lanes(in.xs + index(s) * D, T * D, D, buffers.u + N + R);
        compute_pre();
        step_cell(s);
        store_lanes(buffers.u, H, out.hs + index(s) * H, T * H);
      }
      store_state();
    }

   private:
    using Rows::layout, Rows::first, Rows::index, Rows::offset_of_residuals, Rows::load_lanes, Rows::store_lanes;
    using Rows::T, Rows::D, Rows::H, Rows::N, Rows::R;

    void load_state() const {
      load_lanes(in.h + first * H, H, H, buffers.u);
      for (Index r = 0; r < R; ++r) buffers.u[N + r] = 1;
      if (Cell::HAS_C) load_lanes(in.c + first * H, H, H, buffers.c);
    }

    void compute_pre() const {
      const float* weights = packed;
      for (int i = 0; i < layout.group_count; ++i) {
        const BlockGroup& group = layout.groups[i];
        product(layout.rows(group), R, group.K(), packed_left(weights, group.K()), {buffers.u + group.begin * R, R},
                {buffers.pre + group.first * N, R, false});
        weights += layout.packed_group(group, packed_left_size);
      }
    }

    // Masked sequences compute the step too, then get back the state that they had.
    void step_cell(Index s) const {
      float* const h = buffers.u;
      float* const c = buffers.c;
      float* const residuals = residuals_of(s);
      const bool all_observed = this->all_observed(s);
      if (!all_observed) {
        copy(buffers.kept_h, h, N);
        if (Cell::HAS_C) copy(buffers.kept_c, c, N);
      }
      Cell::forward(buffers.pre, N, h, c, residuals, N);
      if (!all_observed) {
        this->restore_masked(s, h, buffers.kept_h);
        if (Cell::HAS_C) this->restore_masked(s, c, buffers.kept_c);
        if (Cell::HAS_C) copy(residuals + (Cell::RESIDUALS - 1) * N, c, N);
      }
    }

    float* residuals_of(Index s) const {
      if (!out.residuals) return buffers.unused_residuals;
      return out.residuals + offset_of_residuals(s);
    }

    void store_state() const {
      store_lanes(buffers.u, H, out.h + first * H, H);
      if (Cell::HAS_C) store_lanes(buffers.c, H, out.c + first * H, H);
    }

    const Inputs& in;
    const Outputs& out;
    const float* const packed;
    const ForwardBuffers buffers;
  };

  struct BackwardBuffers : Arena {
    float *u, *d_pre, *d_x, *d_h, *d_c, *c_first, *d_y, *kept_d_h, *kept_d_c, *h_after, *h_before;

    BackwardBuffers(const Layout<Cell>& layout, Index R, float* scratch = nullptr) : Arena(scratch) {
      const Index N = layout.H * R, chunk = layout.chunk(R);
      u = take(chunk * R * layout.u_stride);
      d_pre = take(chunk * Cell::BLOCKS * N);
      d_x = take(layout.D * R);
      d_h = take(N);
      d_c = take(N);
      c_first = take(N);
      d_y = take(N);
      kept_d_h = take(2 * N);
      kept_d_c = kept_d_h + N;
      h_after = take(N);
      h_before = take(N);
    }
  };

  static Index backward_scratch_size(const Shape& shape) {
    return BackwardBuffers(Layout<Cell>(shape), MAX_ROWS).size();
  }

  class Backward : Rows {
   public:
    Backward(const BackwardPass& pass, const float* packed, Index first, Index R, const Sums& sums, float* scratch)
        : Rows(pass.shape, pass.in, first, R),
          pass(pass),
          packed(packed),
          sums(sums),
          buffers(layout, R, scratch) {}

    void run() {
      load_cotangents();
      const Index chunk = layout.chunk(R);
      Index steps = 0;  // in the chunk
      for (Index s = T; s-- > 0;) {
        float* const d_pre = buffers.d_pre + steps * Cell::BLOCKS * N;
        load_step(s, buffers.u + steps * R * layout.u_stride);
        step_cell(s, d_pre);
        pass_to_previous_state(d_pre);
        if (pass.out.xs) pass_to_input(s, d_pre);
        if (++steps < chunk && s) continue;
        accumulate_weights(steps);
        steps = 0;
      }
      store_gradients();
    }

   private:
    using Rows::layout, Rows::first, Rows::index, Rows::offset_of_residuals, Rows::load_lanes, Rows::store_lanes;
    using Rows::T, Rows::D, Rows::H, Rows::N, Rows::R;

    void load_cotangents() const {
      if (Cell::HAS_C) load_lanes(pass.in.c + first * H, H, H, buffers.c_first);
      load_lanes(pass.cotangents.h + first * H, H, H, buffers.d_h);
      if (Cell::HAS_C) load_lanes(pass.cotangents.c + first * H, H, H, buffers.d_c);
      if (Cell::READS_H && T) load_lanes(pass.residuals.hs + index(T - 1) * H, T * H, H, buffers.h_before);
    }

    // Loads the state before step s, its rows of u, and the derivatives of its output.
    void load_step(Index s, float* u) {
      const float* const h = s ? pass.residuals.hs + index(s - 1) * H : pass.in.h + first * H;
      const Index stride = s ? T * H : H;
      swap(buffers.h_after, buffers.h_before);
      if (Cell::READS_H) load_lanes(h, stride, H, buffers.h_before);
      for (Index r = 0; r < R; ++r)
        write_u(layout, h + r * stride, pass.in.xs + (index(s) + r * T) * D, u + r * layout.u_stride);
      load_lanes(pass.cotangents.hs + index(s) * H, T * H, H, buffers.d_y);
    }

    // Masked sequences pass the derivatives of their output to the state unchanged, and nothing to the pre-activations.
    void step_cell(Index s, float* d_pre) const {
      const bool all_observed = this->all_observed(s);
      if (!all_observed) {
        for (Index j = 0; j < N; j += LANES) store(buffers.kept_d_h + j, load(buffers.d_h + j) + load(buffers.d_y + j));
        if (Cell::HAS_C) copy(buffers.kept_d_c, buffers.d_c, N);
      }
      const float* const residuals = pass.residuals.blocks + offset_of_residuals(s);
      const float* const c_before = Cell::HAS_C && s ? residuals - N : buffers.c_first;  // last residual of step s - 1
      Cell::backward({buffers.h_after, buffers.h_before, c_before, residuals, buffers.d_y, buffers.d_h, buffers.d_c,
                      d_pre},
                     N);
      if (!all_observed) {
        this->restore_masked(s, buffers.d_h, buffers.kept_d_h);
        if (Cell::HAS_C) this->restore_masked(s, buffers.d_c, buffers.kept_d_c);
        for (int block = 0; block < Cell::BLOCKS; ++block) this->clear_masked(s, d_pre + block * N);
      }
    }

    void pass_to_previous_state(const float* d_pre) const {
      product(H, R, layout.K_h(), packed_left(packed, layout.K_h()), {d_pre, R}, {buffers.d_h, R, true});
    }

    void pass_to_input(Index s, const float* d_pre) const {
      const float* const weights = packed + layout.packed_h(packed_left_size);
      product(D, R, layout.K_x(), packed_left(weights, layout.K_x()), {d_pre + layout.x_begin * N, R},
              {buffers.d_x, R, false});
      store_lanes(buffers.d_x, D, pass.out.xs + index(s) * D, T * D);
    }

    // Each part of the batch has separate sums.
    void accumulate_weights(Index steps) const {
      const Index rows = sums.rows < R ? sums.rows : R;
      for (Index r = 0; r < R; r += rows) {
        const auto d_pre_of = [&](Index block) -> Left {
          return {buffers.d_pre + block * N + r, R, 1, rows, Cell::BLOCKS * N};
        };
        const Right u = {buffers.u + r * layout.u_stride, layout.u_stride, R - rows};
        WeightSums<Cell>::accumulate(layout, steps * rows, d_pre_of, u, sums.data + r / rows * sums.stride);
      }
    }

    void store_gradients() const {
      store_lanes(buffers.d_h, H, pass.out.h + first * H, H);
      if (Cell::HAS_C) store_lanes(buffers.d_c, H, pass.out.c + first * H, H);
    }

    const BackwardPass& pass;
    const float* const packed;
    const Sums& sums;
    BackwardBuffers buffers;
  };
};

}  // namespace throughtime::THROUGHTIME_ISA

#endif
