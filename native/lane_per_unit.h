// The loops over time with a unit in each lane, for the few sequences that do not fill a vector.
//
// The packed weights are right sides of products, with a row u = [h | 1 | x] for each sequence.
#ifndef THROUGHTIME_LANE_PER_UNIT_H
#define THROUGHTIME_LANE_PER_UNIT_H

#include "cells.h"
#include "layout.h"
#include "packed_weights.h"
#include "problem.h"
#include "product.h"
#include "row_product.h"
#include "weight_sums.h"

namespace throughtime::THROUGHTIME_ISA {

template <class Cell>
struct LanePerUnit {
  static_assert(!Cell::SPARSE || Cell::BLOCKS == 1, "sparse rows must be contiguous");

  // Returns how many of `rows` sequences have a unit in each lane: the last ones, or all.
  static Index rows_of(const Shape& shape, Index rows) { return shape.ordered ? rows : rows % LANES; }

  // Returns how many of `rows` of them run together.
  static Index rows_together(Index rows) { return rows < GROUP_ROWS ? rows : GROUP_ROWS; }

  // The sequences of a pass, from `first` on.
  struct Rows {
    const Layout<Cell> layout;
    const std::uint8_t* const mask;
    const Index* const order;
    const bool single;  // the weights are packed for one sequence
    const Index first, rows;
    const Index T = layout.T, D = layout.D, H = layout.H;

    Rows(const Shape& shape, const Inputs& in, Index first, Index rows)
        : layout(shape),
          mask(in.mask),
          order(in.order),
          single(rows_of(shape, shape.B) == 1),
          first(first),
          rows(rows) {}

    // Returns the place in the batch of sequence r.
    Index place(Index r) const { return order ? order[first + r] : first + r; }

    // Returns the index in (B, T) of sequence r at step s.
    Index index(Index r, Index s) const { return place(r) * T + layout.time(s); }

    bool observed(Index r, Index s) const { return !mask || mask[index(r, s)]; }

    // Returns how many sequences step s takes time for: those up to the last one that observes it.
    Index active(Index s) const {
      Index count = rows;
      while (count && !observed(count - 1, s)) --count;
      return count;
    }

    void state_product(Index rows, Index columns, Index K, Left a, const float* packed, Out c, bool backwards) const {
      if (rows == 0) return;
      if (single && Cell::SPARSE)
        sparse_row_product(columns, K, a.data, packed, c);
      else if (single)
        row_product(columns, K, a, packed, c, backwards);
      else
        product(rows, columns, K, a, {packed, 0}, c, backwards);
    }
  };

  struct ForwardBuffers : Arena {
    float *u, *pre, *c, *unused_residuals;

    ForwardBuffers(const Layout<Cell>& layout, Index rows, float* scratch = nullptr) : Arena(scratch) {
      u = take(rows * layout.u_stride);
      pre = take(rows * layout.pre_stride);
      c = take(rows * layout.unit_stride);
      unused_residuals = take(layout.residual_stride);
    }
  };

  static Index forward_scratch_size(const Shape& shape, Index rows) {
    return rows ? ForwardBuffers(Layout<Cell>(shape), rows).size() : 0;
  }

  class Forward : Rows {
   public:
    Forward(const ForwardPass& pass, const float* packed, Index first, Index rows, float* scratch)
        : Rows(pass.shape, pass.in, first, rows),
          in(pass.in),
          out(pass.out),
          packed(packed),
          buffers(layout, rows, scratch) {}

    void run() const {
      load_state();
      for (Index s = 0; s < T; ++s) {
        const Index active = this->active(s);
        load_inputs(active, s);
        prefetch_results(active, s);
        compute_pre(active, s % 2);
        for (Index r = 0; r < rows; ++r) step_cell(r, s);
      }
      store_state();
    }

   private:
    using Rows::layout, Rows::rows, Rows::place, Rows::index, Rows::observed, Rows::T, Rows::D, Rows::H;

    float* u_of(Index r) const { return buffers.u + r * layout.u_stride; }
    float* residuals_of(Index r, Index s) const { return out.residuals + index(r, s) * layout.residual_stride; }
    float* c_of(Index r) const { return buffers.c + r * layout.unit_stride; }

    void load_state() const {
      for (Index r = 0; r < rows; ++r) {
        copy_padded(u_of(r), in.h + place(r) * H, H, layout.u_stride);
        if (Cell::HAS_C) copy_padded(c_of(r), in.c + place(r) * H, H, layout.unit_stride);
      }
    }

    // The bias factor too: a step of the cell writes whole vectors over it.
    void load_inputs(Index active, Index s) const {
      for (Index r = 0; r < active; ++r) {
        u_of(r)[H] = 1;
        copy(u_of(r) + H + 1, in.xs + index(r, s) * D, D);
      }
    }

    // Asks for where step s writes, while a product keeps the processor busy: several rows are too far apart for it to
    // foresee.
    void prefetch_results(Index active, Index s) const {
      if (rows == 1) return;
      for (Index r = 0; r < active; ++r) {
        if (out.residuals) prefetch(residuals_of(r, s), layout.residual_stride);
        prefetch(out.hs + index(r, s) * H, H);
      }
    }

    void compute_pre(Index active, bool backwards) const {
      const float* weights = packed;
      for (int i = 0; i < layout.group_count; ++i) {
        const BlockGroup& group = layout.groups[i];
        this->state_product(active, layout.rows(group), group.K(), {buffers.u + group.begin, layout.u_stride, 1},
                            weights, {buffers.pre + group.first * H, layout.pre_stride, false}, backwards);
        weights += layout.packed_group(group, packed_right_size);
      }
    }

    void step_cell(Index r, Index s) const {
      float* const residuals = out.residuals ? residuals_of(r, s) : buffers.unused_residuals;
      if (observed(r, s))
        Cell::forward(buffers.pre + r * layout.pre_stride, H, u_of(r), c_of(r), residuals, layout.unit_stride);
      else if (Cell::HAS_C)
        copy(residuals + (Cell::RESIDUALS - 1) * layout.unit_stride, c_of(r), layout.unit_stride);
      copy(out.hs + index(r, s) * H, u_of(r), H);
    }

    void store_state() const {
      for (Index r = 0; r < rows; ++r) {
        copy(out.h + place(r) * H, u_of(r), H);
        if (Cell::HAS_C) copy(out.c + place(r) * H, c_of(r), H);
      }
    }

    const Inputs& in;
    const Outputs& out;
    const float* const packed;
    const ForwardBuffers buffers;
  };

  struct BackwardBuffers : Arena {
    float *u, *d_pre, *d_x, *d_h, *d_c, *h_after, *h_before, *c_first, *d_y;

    BackwardBuffers(const Layout<Cell>& layout, Index rows, float* scratch = nullptr) : Arena(scratch) {
      const Index chunk = layout.chunk(rows);
      u = take(chunk * rows * layout.u_stride);
      d_pre = take(chunk * rows * layout.pre_stride);
      d_x = take(chunk * rows * layout.d_x_stride);
      d_h = take(rows * layout.unit_stride);
      d_c = take(rows * layout.unit_stride);
      h_after = take(rows * layout.unit_stride);
      h_before = take(rows * layout.unit_stride);
      c_first = take(rows * layout.unit_stride);
      d_y = take(layout.unit_stride);
    }
  };

  static Index backward_scratch_size(const Shape& shape, Index rows) {
    return rows ? BackwardBuffers(Layout<Cell>(shape), rows).size() : 0;
  }

  class Backward : Rows {
   public:
    Backward(const BackwardPass& pass, const float* packed, Index first, Index rows, float* sums, float* scratch)
        : Rows(pass.shape, pass.in, first, rows),
          pass(pass),
          packed(packed),
          sums(sums),
          buffers(layout, rows, scratch) {}

    void run() {
      load_cotangents();
      const Index room = layout.chunk(rows) * rows;
      Index steps = 0, filled = 0;  // steps and rows of the chunk
      for (Index s = T; s-- > 0;) {
        float* const u = buffers.u + filled * layout.u_stride;
        float* const d_pre = buffers.d_pre + filled * layout.pre_stride;
        const Index active = this->active(s);
        swap(buffers.h_after, buffers.h_before);
        for (Index r = 0; r < rows; ++r) {
          load_step(r, s);
          if (r < active) write_u(layout, h_before(r, s), pass.in.xs + index(r, s) * D, u + r * layout.u_stride);
          if (observed(r, s))
            step_cell(r, s, d_pre + r * layout.pre_stride);
          else
            pass_over(r, r < active ? d_pre + r * layout.pre_stride : nullptr);
        }
        if (s) prefetch_step(s - 1);
        pass_to_previous_state(active, d_pre, s % 2);
        filled += active;
        ++steps;
        if (filled + rows <= room && s) continue;
        if (filled) accumulate_weights(filled);
        if (pass.out.xs) pass_to_inputs(s, steps, filled);
        steps = filled = 0;
      }
      store_gradients();
    }

   private:
    using Rows::layout, Rows::rows, Rows::place, Rows::index, Rows::observed, Rows::T, Rows::D, Rows::H;

    float* row(float* units, Index r) const { return units + r * layout.unit_stride; }

    const float* h_before(Index r, Index s) const {
      return s ? pass.residuals.hs + index(r, s - 1) * H : pass.in.h + place(r) * H;
    }

    void load_cotangents() const {
      clear(buffers.d_y, layout.unit_stride);
      for (Index r = 0; r < rows; ++r) {
        const Index begin = place(r) * H;
        if (Cell::HAS_C) copy_padded(row(buffers.c_first, r), pass.in.c + begin, H, layout.unit_stride);
        copy_padded(row(buffers.d_h, r), pass.cotangents.h + begin, H, layout.unit_stride);
        if (Cell::HAS_C) copy_padded(row(buffers.d_c, r), pass.cotangents.c + begin, H, layout.unit_stride);
        copy_padded(row(buffers.h_before, r), h_before(r, T), H, layout.unit_stride);
        clear(row(buffers.h_after, r), layout.unit_stride);
      }
    }

    // Asks for what step s reads, likewise.
    void prefetch_step(Index s) const {
      if (rows == 1) return;
      for (Index r = 0; r < rows; ++r) {
        if (!observed(r, s)) continue;
        prefetch(residuals_of(r, s), layout.residual_stride);
        prefetch(pass.cotangents.hs + index(r, s) * H, H);
        prefetch(h_before(r, s), H);
        if (Cell::HAS_C) prefetch(c_before(r, s), H);
      }
    }

    // Loads the state before step s, and the derivatives of the output.
    void load_step(Index r, Index s) const {
      if (Cell::READS_H) copy(row(buffers.h_before, r), h_before(r, s), H);
      copy(buffers.d_y, pass.cotangents.hs + index(r, s) * H, H);
    }

    void step_cell(Index r, Index s, float* d_pre) const {
      Cell::backward({row(buffers.h_after, r), row(buffers.h_before, r), c_before(r, s), residuals_of(r, s),
                      buffers.d_y, row(buffers.d_h, r), row(buffers.d_c, r), d_pre},
                     layout.unit_stride);
    }

    // Passes the derivatives of a masked step's output to the state, and nothing to the pre-activations, if any.
    void pass_over(Index r, float* d_pre) const {
      add(row(buffers.d_h, r), buffers.d_y, layout.unit_stride);
      if (d_pre) clear(d_pre, Cell::BLOCKS * layout.unit_stride);
    }

    const float* residuals_of(Index r, Index s) const {
      return pass.residuals.blocks + index(r, s) * layout.residual_stride;
    }

    // The last residual of the previous step.
    const float* c_before(Index r, Index s) const {
      if (!Cell::HAS_C) return nullptr;
      return s ? residuals_of(r, s - 1) + (Cell::RESIDUALS - 1) * layout.unit_stride : row(buffers.c_first, r);
    }

    void pass_to_previous_state(Index active, const float* d_pre, bool backwards) const {
      this->state_product(active, H, layout.K_h(), {d_pre, layout.pre_stride, 1, H, layout.unit_stride}, packed,
                          {buffers.d_h, layout.unit_stride, true}, backwards);
    }

    void accumulate_weights(Index filled) const {
      const auto d_pre_of = [&](Index block) -> Left {
        return {buffers.d_pre + block * layout.unit_stride, 1, layout.pre_stride};
      };
      WeightSums<Cell>::accumulate(layout, filled, d_pre_of, {buffers.u, layout.u_stride}, sums);
    }

    // Passes the derivatives of a chunk, whose steps end at step s, to the inputs: zeros to those of masked steps.
    void pass_to_inputs(Index s, Index steps, Index filled) const {
      const float* const weights = packed + layout.packed_h(packed_right_size);
      const float* const d_pre = buffers.d_pre + layout.x_begin * layout.unit_stride;
      product(filled, D, layout.K_x(), {d_pre, layout.pre_stride, 1, H, layout.unit_stride}, {weights, 0},
              {buffers.d_x, layout.d_x_stride, false});
      const float* d_x = buffers.d_x;
      for (Index t = s + steps; t-- > s;) {
        const Index active = this->active(t);
        for (Index r = 0; r < active; ++r, d_x += layout.d_x_stride) copy(pass.out.xs + index(r, t) * D, d_x, D);
        for (Index r = active; r < rows; ++r) clear(pass.out.xs + index(r, t) * D, D);
      }
    }

    void store_gradients() const {
      for (Index r = 0; r < rows; ++r) {
        copy(pass.out.h + place(r) * H, row(buffers.d_h, r), H);
        if (Cell::HAS_C) copy(pass.out.c + place(r) * H, row(buffers.d_c, r), H);
      }
    }

    const BackwardPass& pass;
    const float* const packed;
    float* const sums;
    BackwardBuffers buffers;
  };
};

}  // namespace throughtime::THROUGHTIME_ISA

#endif
