// Memory layout of the buffers of a kernel.
#ifndef THROUGHTIME_LAYOUT_H
#define THROUGHTIME_LAYOUT_H

#include "cells.h"
#include "problem.h"
#include "product.h"

namespace throughtime::THROUGHTIME_ISA {

constexpr Index CHUNK_ROWS = 16 * LANES;  // of a product for the weight gradients: they fit the second-level cache

// Returns a stride in floats that is an odd number of cache lines. Rows a power of two apart would share few cache
// sets.
inline Index odd_stride(Index size) { return round_up(size, 16) + (round_up(size, 16) / 16 % 2 ? 0 : 16); }

// Adjacent blocks of pre-activations that read the same columns of u = [h | 1 | x].
struct BlockGroup {
  Index first, last;  // blocks
  Index begin, end;   // columns of u
  Index K() const { return end - begin; }
};

// The size of a packed matrix.
using PackedSize = Index (*)(Index rows, Index K);

template <class Cell>
struct Layout {
  Index T, D, H;
  bool reverse;
  Index unit_stride;      // H in whole vectors
  Index residual_stride;  // from step to step
  Index pre_stride;       // of pre-activations and of their derivatives
  Index u_stride;
  Index d_x_stride;
  Index h_end;    // blocks before this one read h
  Index x_begin;  // blocks from this one on read x
  BlockGroup groups[3] = {};
  int group_count = 0;

  explicit Layout(const Shape& shape)
      : T(shape.T),
        D(shape.D),
        H(shape.H),
        reverse(shape.reverse),
        unit_stride(round_up(H, LANES)),
        residual_stride(Cell::RESIDUALS * residual_block(H)),
        pre_stride(odd_stride(Cell::BLOCKS * unit_stride + LANES)),
        u_stride(odd_stride(round_up(H + 1 + D, LANES) + LANES)),
        d_x_stride(round_up(D, LANES)),
        h_end(0),
        x_begin(0) {
    for (int block = 0; block < Cell::BLOCKS; ++block) {
      const bool reads_h = Cell::SOURCES[block].h >= 0, reads_x = Cell::SOURCES[block].x >= 0;
      if (reads_h) h_end = block + 1;
      if (!reads_x) x_begin = block + 1;
      add_to_groups(block, reads_h ? 0 : H, reads_x ? H + 1 + D : H + 1);
    }
  }

  // Returns the time index of step s.
  Index time(Index s) const { return reverse ? T - 1 - s : s; }

  // Pre-activations that read h, and those that read x: the inner dimensions of the products for d_h and d_x.
  Index K_h() const { return h_end * H; }
  Index K_x() const { return (Cell::BLOCKS - x_begin) * H; }

  Index rows(const BlockGroup& group) const { return (group.last - group.first) * H; }

  Index packed_group(const BlockGroup& group, PackedSize size) const {
    return round_up(size(rows(group), group.K()), 16);
  }

  Index packed_forward(PackedSize size) const {
    Index total = 0;
    for (int i = 0; i < group_count; ++i) total += packed_group(groups[i], size);
    return total;
  }

  // For the backward pass the weights of h are packed first, then those of x.
  Index packed_h(PackedSize size) const { return round_up(size(H, K_h()), 16); }
  Index packed_backward(PackedSize size) const { return packed_h(size) + size(D, K_x()); }

  // Steps of `rows` sequences whose contribution to the weight gradients is one product.
  Index chunk(Index rows) const { return CHUNK_ROWS / rows < T ? CHUNK_ROWS / rows : T; }

 private:
  void add_to_groups(int block, Index begin, Index end) {
    BlockGroup* const previous = group_count ? &groups[group_count - 1] : nullptr;
    if (previous && previous->begin == begin && previous->end == end)
      previous->last = block + 1;
    else
      groups[group_count++] = {block, block + 1, begin, end};
  }
};

// The weights of a group: its blocks are adjacent in the cell's weights too.
template <class Cell>
struct GroupWeights {
  const float *h, *b, *x;  // h or x is null if the group does not read it

  GroupWeights(const Layout<Cell>& layout, const BlockGroup& group, const Weights& weights) {
    const Source source = Cell::SOURCES[group.first];
    h = source.h >= 0 ? weights.w_h + source.h * layout.H * layout.H : nullptr;
    b = source.b >= 0 ? weights.b + source.b * layout.H : weights.b_h;
    x = source.x >= 0 ? weights.w_x + source.x * layout.H * layout.D : nullptr;
  }
};

// Rows are too short for a call of memcpy to pay. The last vector overlaps the one before.
inline void copy(float* to, const float* from, Index count) {
  if (count < LANES) {
    for (Index j = 0; j < count; ++j) to[j] = from[j];
    return;
  }
  for (Index j = 0; j < count - LANES; j += LANES) store(to + j, load(from + j));
  store(to + count - LANES, load(from + count - LANES));
}

inline void clear(float* to, Index count) { std::memset(to, 0, count * sizeof(float)); }

// Copies `count` floats and clears the rest up to `size`.
inline void copy_padded(float* to, const float* from, Index count, Index size) {
  copy(to, from, count);
  clear(to + count, size - count);
}

inline void add(float* to, const float* from, Index count) {
  for (Index j = 0; j < count; j += LANES) store(to + j, load(to + j) + load(from + j));
}

inline void swap(float*& left, float*& right) {
  float* const kept = left;
  left = right;
  right = kept;
}

// Writes u = [h | 1 | x]. Padding is cleared: products read whole vectors, and denormal garbage is slow to multiply.
template <class Cell>
inline void write_u(const Layout<Cell>& layout, const float* h, const float* x, float* u) {
  const Index end = layout.H + 1 + layout.D;
  for (Index j = round_up(end, LANES) - LANES; j < layout.u_stride; j += LANES) store(u + j, Vector{});
  copy(u, h, layout.H);
  u[layout.H] = 1;
  copy(u + layout.H + 1, x, layout.D);
}

// Cuts one allocation into slices that are aligned to 64 bytes. Without an allocation, it measures the size needed: the
// buffers of a kernel derive from it, so that they state their sizes once.
class Arena {
 public:
  explicit Arena(float* data) : data_(data) {}

  float* take(Index count) {
    const Index begin = size_;
    size_ += round_up(count, 16);
    return data_ ? data_ + begin : nullptr;
  }

  Index size() const { return size_; }

 private:
  float* data_;
  Index size_ = 0;
};

}  // namespace throughtime::THROUGHTIME_ISA

#endif
