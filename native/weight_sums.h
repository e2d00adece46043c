// Sums of the weight gradients: one matrix (BLOCKS * H, u_stride), a row for each pre-activation, laid out as u is.
#ifndef THROUGHTIME_WEIGHT_SUMS_H
#define THROUGHTIME_WEIGHT_SUMS_H

#include "layout.h"
#include "problem.h"
#include "product.h"

namespace throughtime::THROUGHTIME_ISA {

template <class Cell>
struct WeightSums {
  static Index size(const Shape& shape) {
    const Layout<Cell> layout(shape);
    return Cell::BLOCKS * layout.H * layout.u_stride;
  }

  // sums += d_pre' u, over K rows of u. `d_pre_of(block)` returns the derivatives of a block.
  template <class BlockDerivatives>
  static void accumulate(const Layout<Cell>& layout, Index K, BlockDerivatives d_pre_of, Right u, float* sums) {
    for (int i = 0; i < layout.group_count; ++i) {
      const BlockGroup& group = layout.groups[i];
      for (Index block = group.first; block < group.last; ++block)
        product(layout.H, round_up(group.K(), LANES), K, d_pre_of(block), {u.data + group.begin, u.stride, u.skipped},
                {sums + block * layout.H * layout.u_stride + group.begin, layout.u_stride, true});
    }
  }

  static void unpack(const Shape& shape, const float* sums, const WeightGradients& out) {
    const Layout<Cell> layout(shape);
    const Index H = layout.H, D = layout.D;
    for (Index block = 0; block < Cell::BLOCKS; ++block) {
      const Source source = Cell::SOURCES[block];
      for (Index j = 0; j < H; ++j) {
        const float* const row = sums + (block * H + j) * layout.u_stride;
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
