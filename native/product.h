// Matrix products, tile by tile in registers. The side that is used repeatedly is packed: the right side into panels,
// or the left side into tiles.
#ifndef THROUGHTIME_PRODUCT_H
#define THROUGHTIME_PRODUCT_H

#include "simd.h"

namespace throughtime::THROUGHTIME_ISA {

constexpr int PANEL_VECTORS = 3;  // at most

// The sums of a tile take three quarters of the registers; each step of K needs one more for each vector and one.
constexpr int rows_of_tile(int vectors) { return THROUGHTIME_REGISTERS * 3 / 4 / (vectors < 2 ? 2 : vectors); }
constexpr int TILE_ROWS = rows_of_tile(2);  // of a packed left side: for products one or two vectors wide

// Panels of a right side (K, columns): up to `max_vectors` wide, with widths that differ by at most one.
struct Panels {
  Index vectors, count;
  explicit Panels(Index columns, int max_vectors = PANEL_VECTORS)
      : vectors(round_up(columns, LANES) / LANES), count((vectors + max_vectors - 1) / max_vectors) {}
  Index first(Index panel) const { return panel * vectors / count; }
  Index width(Index panel) const { return first(panel + 1) - first(panel); }
  Index stride(Index panel) const { return width(panel) * LANES; }  // of the rows of a packed panel
};

inline Index packed_right_size(Index columns, Index K) { return round_up(columns, LANES) * K; }

// A (rows, K), possibly transposed or packed into tiles. If `run` is not 0, K is cut into runs of that length,
// `run_stride` apart; if `tile_stride` is not 0, the rows are cut into tiles, that far apart.
struct Left {
  const float* data;
  Index row_stride, k_stride, run = 0, run_stride = 0, tile_stride = 0;
};

// A packed into tiles of TILE_ROWS rows, each with the numbers of a column adjacent: a product reads it sequentially.
inline Left packed_left(const float* data, Index K) { return {data, 1, TILE_ROWS, 0, 0, TILE_ROWS * K}; }
inline Index packed_left_size(Index rows, Index K) { return round_up(rows, TILE_ROWS) * K; }

struct Strides {
  Index row, column;
};

// Packs `columns` of the K columns of a left side; missing rows are zeros. Returns the destination of the next columns.
inline float* pack_left(const float* from, Strides stride, Index rows, Index columns, Index K, float* to) {
  float* const next = to + columns * TILE_ROWS;
  for (; rows > 0; rows -= TILE_ROWS, from += TILE_ROWS * stride.row, to += TILE_ROWS * K) {
    const Index filled = rows < TILE_ROWS ? rows : TILE_ROWS;
    for (Index k = 0; k < columns; ++k)
      for (int r = 0; r < TILE_ROWS; ++r)
        to[k * TILE_ROWS + r] = r < filled ? from[r * stride.row + k * stride.column] : 0;
  }
  return next;
}

// B (K, columns): packed panels, each (K, width), or the rows of a matrix, `stride` apart, of which `skipped` are left
// out after each run of the left side.
struct Right {
  const float* data;
  Index stride;  // 0 if packed
  Index skipped = 0;
};

// C (rows, columns), which a product replaces, or adds to.
struct Out {
  float* data;
  Index row_stride;
  bool add;
};

template <int R, int V>
THROUGHTIME_INLINE void tile(Left a, Right b, Index K, Out c) {
  Vector sum[R][V];
  THROUGHTIME_UNROLLED for (int r = 0; r < R; ++r)
    THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v)
      sum[r][v] = c.add ? load(c.data + r * c.row_stride + v * LANES) : Vector{};
  // One address for three rows: there are enough registers for that many addresses.
  const float* row_data[(R + 2) / 3];
  THROUGHTIME_UNROLLED for (int r = 0; r < R; r += 3) row_data[r / 3] = a.data + r * a.row_stride;
  Index rest_of_run = a.run ? a.run : K;
  do {
    Vector row[V];
    THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) row[v] = load(b.data + v * LANES);
    b.data += b.stride;
    THROUGHTIME_UNROLLED for (int r = 0; r < R; ++r) {
      const Vector x = broadcast(row_data[r / 3][r % 3 * a.row_stride]);
      THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) sum[r][v] += x * row[v];
    }
    Index step = a.k_stride;
    if (--rest_of_run == 0) {
      rest_of_run = a.run;
      step += a.run_stride - a.run * a.k_stride;
      b.data += b.skipped * b.stride;
    }
    THROUGHTIME_UNROLLED for (int i = 0; i < (R + 2) / 3; ++i) row_data[i] += step;
  } while (--K);
  THROUGHTIME_UNROLLED for (int r = 0; r < R; ++r)
    THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) store(c.data + r * c.row_stride + v * LANES, sum[r][v]);
}

// Calls the last tile of a panel: `rows` rows, at most R.
template <int R, int V>
inline void last_tile_of(Index rows, Left a, Right b, Index K, Out c) {
  if (rows == R) return tile<R, V>(a, b, K, c);
  if constexpr (R > 1) last_tile_of<R - 1, V>(rows, a, b, K, c);
}

template <int V>
THROUGHTIME_INLINE void panel(Index rows, Left a, Right b, Index K, Out c) {
  constexpr int ROWS = rows_of_tile(V);
  for (; rows > ROWS; rows -= ROWS) {
    tile<ROWS, V>(a, b, K, c);
    a.data += a.tile_stride ? a.tile_stride : ROWS * a.row_stride;
    c.data += ROWS * c.row_stride;
  }
  last_tile_of<ROWS, V>(rows, a, b, K, c);
}

// C (rows, columns) = A (rows, K) B (K, columns), or C plus that; K is not 0. Whole vectors are written. When called
// repeatedly with the same B, alternate `backwards`: each call then starts with the panels still in cache.
THROUGHTIME_NOINLINE static void product(Index rows, Index columns, Index K, Left a, Right b, Out c,
                                         bool backwards = false) {
  if (rows == 0) return;
  const Panels panels(columns);
  for (Index i = 0; i < panels.count; ++i) {
    const Index p = backwards ? panels.count - 1 - i : i;
    const Index first = panels.first(p) * LANES;
    const Right right =
        b.stride ? Right{b.data + first, b.stride, b.skipped} : Right{b.data + first * K, panels.stride(p)};
    const Out out = {c.data + first, c.row_stride, c.add};
    switch (panels.width(p)) {
      case 1: panel<1>(rows, a, right, K, out); break;
      case 2: panel<2>(rows, a, right, K, out); break;
      default: panel<3>(rows, a, right, K, out); break;
    }
  }
}

}  // namespace throughtime::THROUGHTIME_ISA

#endif
