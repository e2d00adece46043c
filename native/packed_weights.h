// The weights, packed once for each pass in the order in which products read them.
//
// The forward pass computes the terms of the state, the bias and the input by one product with u = [h | 1 | x]. The
// backward pass multiplies by the weights of the state and by those of the input.
#ifndef THROUGHTIME_PACKED_WEIGHTS_H
#define THROUGHTIME_PACKED_WEIGHTS_H

#include "layout.h"
#include "problem.h"
#include "product.h"
#include "row_product.h"

namespace throughtime::THROUGHTIME_ISA {

// Left sides of products: the weights for a sequence in each lane.
template <class Cell>
struct PackedTiles {
  static Index forward_size(const Shape& shape) { return Layout<Cell>(shape).packed_forward(packed_left_size); }

  static void pack_forward(const Shape& shape, const Weights& weights, float* packed) {
    const Layout<Cell> layout(shape);
    const Index H = layout.H, D = layout.D;
    for (int i = 0; i < layout.group_count; ++i) {
      const BlockGroup& group = layout.groups[i];
      const GroupWeights<Cell> from(layout, group, weights);
      const Index rows = layout.rows(group), K = group.K();
      float* columns = packed;
      if (from.h) columns = pack_left(from.h, {H, 1}, rows, H, K, columns);
      columns = pack_left(from.b, {1, 1}, rows, 1, K, columns);
      if (from.x) pack_left(from.x, {D, 1}, rows, D, K, columns);
      packed += layout.packed_group(group, packed_left_size);
    }
  }

  static Index backward_size(const Shape& shape) { return Layout<Cell>(shape).packed_backward(packed_left_size); }

  // Packs the transposed weights.
  static void pack_backward(const Shape& shape, const Weights& weights, float* packed) {
    const Layout<Cell> layout(shape);
    const Index H = layout.H, D = layout.D;
    for (Index block = 0; block < layout.h_end; ++block) {
      const float* const from = weights.w_h + Cell::SOURCES[block].h * H * H;
      pack_left(from, {1, H}, H, H, layout.K_h(), packed + block * H * TILE_ROWS);
    }
    packed += layout.packed_h(packed_left_size);
    for (Index block = layout.x_begin; block < Cell::BLOCKS; ++block) {
      const float* const from = weights.w_x + Cell::SOURCES[block].x * H * D;
      pack_left(from, {1, D}, D, H, layout.K_x(), packed + (block - layout.x_begin) * H * TILE_ROWS);
    }
  }
};

// Right sides of products: the weights for a unit in each lane. A single row has wider panels.
template <class Cell>
struct PackedPanels {
  static Index forward_size(const Shape& shape) { return Layout<Cell>(shape).packed_forward(packed_right_size); }

  // Packs the transposed weights of each group: a row is multiplied by one column of u.
  static void pack_forward(const Shape& shape, const Weights& weights, Index rows, float* packed) {
    const Layout<Cell> layout(shape);
    for (int i = 0; i < layout.group_count; ++i) {
      const BlockGroup& group = layout.groups[i];
      const GroupWeights<Cell> from(layout, group, weights);
      const Panels panels(layout.rows(group), panel_vectors(rows));
      for (Index p = 0; p < panels.count; ++p)
        for (Index v = 0; v < panels.width(p); ++v) {
          const Index j = (panels.first(p) + v) * LANES, rest = layout.rows(group) - j;
          float* const to = packed + panels.first(p) * LANES * group.K() + v * LANES;
          pack_lanes(layout, from, j, rest < LANES ? rest : LANES, to, panels.stride(p));
        }
      packed += layout.packed_group(group, packed_right_size);
    }
  }

  // Packs `filled` rows of weights from row j on into one vector of a panel's rows, `stride` apart.
  static void pack_lanes(const Layout<Cell>& layout, const GroupWeights<Cell>& from, Index j, Index filled, float* to,
                         Index stride) {
    const Index H = layout.H, D = layout.D;
    if (from.h) to = pack_columns(from.h + j * H, H, H, filled, to, stride);
    to = pack_columns(from.b + j, 1, 1, filled, to, stride);
    if (from.x) pack_columns(from.x + j * D, D, D, filled, to, stride);
  }

  // Transposes a matrix (filled, columns). Returns the destination of the next columns.
  static float* pack_columns(const float* from, Index row_stride, Index columns, Index filled, float* to,
                             Index stride) {
    Index k = 0;
    if (filled == LANES)
      for (; k + LANES <= columns; k += LANES) transpose_square(from + k, row_stride, to + k * stride, stride);
    for (; k < columns; ++k)
      for (Index lane = 0; lane < filled; ++lane) to[k * stride + lane] = from[lane * row_stride + k];
    return to + columns * stride;
  }

  static Index backward_size(const Shape& shape) { return Layout<Cell>(shape).packed_backward(packed_right_size); }

  static void pack_backward(const Shape& shape, const Weights& weights, Index rows, float* packed) {
    const Layout<Cell> layout(shape);
    const Panels panels_h(layout.H, panel_vectors(rows)), panels_x(layout.D);
    pack_rows(layout, weights.w_h, &Source::h, 0, layout.h_end, panels_h, layout.H, packed);
    packed += layout.packed_h(packed_right_size);
    pack_rows(layout, weights.w_x, &Source::x, layout.x_begin, Cell::BLOCKS, panels_x, layout.D, packed);
  }

  // Packs the rows of weights of blocks `first` to `last`, which have `columns` columns.
  static void pack_rows(const Layout<Cell>& layout, const float* weights, int Source::* gate, Index first, Index last,
                        const Panels& panels, Index columns, float* to) {
    for (Index p = 0; p < panels.count; ++p)
      for (Index block = first; block < last; ++block) {
        const float* from = weights + Cell::SOURCES[block].*gate * layout.H * columns + panels.first(p) * LANES;
        const Index filled = columns - panels.first(p) * LANES;
        for (Index j = 0; j < layout.H; ++j, to += panels.stride(p), from += columns)
          copy(to, from, filled < panels.stride(p) ? filled : panels.stride(p));
      }
  }

 private:
  static int panel_vectors(Index rows) { return rows == 1 ? ROW_PANEL_VECTORS : PANEL_VECTORS; }

};

}  // namespace throughtime::THROUGHTIME_ISA

#endif
