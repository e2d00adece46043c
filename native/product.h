// Matrix products, tile by tile in registers. The side that is met again and again is packed for it: the right one into
// panels, or the left one into tiles.
#ifndef THROUGHTIME_PRODUCT_H
#define THROUGHTIME_PRODUCT_H

#include "simd.h"

namespace throughtime::THROUGHTIME_ISA {

// A tile of C takes three quarters of the registers, a step of it one more for each of its vectors and one.
constexpr int WIDE = 3;
constexpr int rows_of_tile(int vectors) { return THROUGHTIME_REGISTERS * 3 / 4 / (vectors < 2 ? 2 : vectors); }
constexpr int TALL = rows_of_tile(2);  // of up to two vectors

// The right side: K rows of `columns` numbers, cut into panels of up to `wide` vectors, of widths that differ by one at most.
struct Panels {
  Index vectors, count;
  explicit Panels(Index columns, int wide = WIDE) : vectors(up(columns, LANES) / LANES), count((vectors + wide - 1) / wide) {}
  Index first(Index panel) const { return panel * vectors / count; }
  Index width(Index panel) const { return first(panel + 1) - first(panel); }
  Index stride(Index panel) const { return width(panel) * LANES; }  // of a packed panel's rows
};

inline Index packed_right_size(Index columns, Index K) { return up(columns, LANES) * K; }

// A (rows, K) with strides of its own, so that it may lie on its side. Where `run` is not 0, K is cut into runs of that
// length, `next` apart; where `tile` is not 0, the rows into tiles, that far apart.
struct Left {
  const float* at;
  Index row, k, run = 0, next = 0, tile = 0;
};

// A packed for products with one or two vectors: tiles of TALL rows, in which a column's numbers stand side by side. Each
// is read from its first number to its last.
inline Left packed_left(const float* at, Index K) { return {at, 1, TALL, 0, 0, TALL * K}; }
inline Index packed_left_size(Index rows, Index K) { return up(rows, TALL) * K; }

// From row to row, and from column to column.
struct Strides {
  Index row, column;
};

// Puts some columns of such a matrix, of K in all, into its tiles, from the place `to` on; missing rows are zeros.
// Returns the place for the next.
inline float* pack_left(const float* from, Strides by, Index rows, Index columns, Index K, float* to) {
  float* const next = to + columns * TALL;
  for (; rows > 0; rows -= TALL, from += TALL * by.row, to += TALL * K) {
    const Index filled = rows < TALL ? rows : TALL;
    for (Index k = 0; k < columns; ++k)
      for (int r = 0; r < TALL; ++r) to[k * TALL + r] = r < filled ? from[r * by.row + k * by.column] : 0;
  }
  return next;
}

// B: packed, panel after panel, each (K, stride); or the rows of a matrix, `stride` apart, of which `skipped` are left out
// after each run of the left side.
struct Right {
  const float* at;
  Index stride;  // 0 where packed
  Index skipped = 0;
};

// Where the product goes: C (rows, columns), which it replaces or is added to.
struct Out {
  float* at;
  Index row;
  bool add;
};

template <int R, int V>
inline void tile(Left a, Right b, Index K, Out c) {
  Vector sum[R][V];
  THROUGHTIME_UNROLLED for (int r = 0; r < R; ++r)
    THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) sum[r][v] = c.add ? load(c.at + r * c.row + v * LANES) : Vector{};
  // Three rows by one address: the processor has as many registers for addresses as that takes.
  const float* at[(R + 2) / 3];
  THROUGHTIME_UNROLLED for (int r = 0; r < R; r += 3) at[r / 3] = a.at + r * a.row;
  Index left_of_run = a.run ? a.run : K;
  do {
    Vector row[V];
    THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) row[v] = load(b.at + v * LANES);
    b.at += b.stride;
    THROUGHTIME_UNROLLED for (int r = 0; r < R; ++r) {
      const Vector x = all(at[r / 3][r % 3 * a.row]);
      THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) sum[r][v] += x * row[v];
    }
    Index step = a.k;
    if (--left_of_run == 0) {
      left_of_run = a.run;
      step += a.next - a.run * a.k;
      b.at += b.skipped * b.stride;
    }
    THROUGHTIME_UNROLLED for (int i = 0; i < (R + 2) / 3; ++i) at[i] += step;
  } while (--K);
  THROUGHTIME_UNROLLED for (int r = 0; r < R; ++r)
    THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) store(c.at + r * c.row + v * LANES, sum[r][v]);
}

// At most R rows.
template <int R, int V>
inline void some_rows(Index rows, Left a, Right b, Index K, Out c) {
  if (rows == R) return tile<R, V>(a, b, K, c);
  if constexpr (R > 1) some_rows<R - 1, V>(rows, a, b, K, c);
}

template <int V>
void panel(Index rows, Left a, Right b, Index K, Out c) {
  constexpr int ROWS = rows_of_tile(V);
  for (; rows > ROWS; rows -= ROWS) {
    tile<ROWS, V>(a, b, K, c);
    a.at += a.tile ? a.tile : ROWS * a.row;
    c.at += ROWS * c.row;
  }
  some_rows<ROWS, V>(rows, a, b, K, c);
}

// C (rows, columns) = A (rows, K) B (K, columns), or C plus that, with K not 0. Whole vectors are written. Where it is done
// again and again with the same B, every other time `backwards`, what the last time left in the nearest cache is used
// first.
inline void product(Index rows, Index columns, Index K, Left a, Right b, Out c, bool backwards = false) {
  if (rows == 0) return;
  const Panels panels(columns);
  for (Index i = 0; i < panels.count; ++i) {
    const Index p = backwards ? panels.count - 1 - i : i;
    const Index first = panels.first(p) * LANES;
    const Right at = b.stride ? Right{b.at + first, b.stride, b.skipped} : Right{b.at + first * K, panels.stride(p)};
    const Out out = {c.at + first, c.row, c.add};
    switch (panels.width(p)) {
      case 1: panel<1>(rows, a, at, K, out); break;
      case 2: panel<2>(rows, a, at, K, out); break;
      default: panel<3>(rows, a, at, K, out); break;
    }
  }
}

}  // namespace throughtime::THROUGHTIME_ISA

#endif
