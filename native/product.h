// Matrix products whose right side is short and wide: rows times packed panels, in registers.
#ifndef THROUGHTIME_PRODUCT_H
#define THROUGHTIME_PRODUCT_H

#include "simd.h"

namespace throughtime::THROUGHTIME_ISA {

// A tile of C takes three quarters of the registers, a step of it one more for each of its vectors and one.
constexpr int WIDE = 3;
constexpr int rows_of_tile(int vectors) { return THROUGHTIME_REGISTERS * 3 / 4 / (vectors < 2 ? 2 : vectors); }

constexpr int CHAINS = 4;  // sums side by side in a single row, so that none waits for its last addition

// The right side: K rows of `vectors` vectors, cut into panels of up to WIDE, of widths that differ by one at most.
struct Panels {
  Index count, vectors;
  explicit Panels(Index vectors) : count((vectors + WIDE - 1) / WIDE), vectors(vectors) {}
  Index first(Index panel) const { return panel * vectors / count; }
};

// A (rows, K) with strides of its own, so that it may lie on its side. Where `run` is not 0, K is cut into runs of that
// length, `next` apart.
struct Left {
  const float* at;
  Index row, k, run = 0, next = 0;
};

// B: packed, panel after panel, each (K, width); or the rows of a matrix, `stride` apart.
struct Right {
  const float* at;
  Index stride;  // 0 where packed
};

// Where the product goes: C (rows, vectors), which it replaces or is added to.
struct Out {
  float* at;
  Index row;
  bool add;
};

template <int R, int V>
inline void tile(Left a, const float* b, Index stride, Index K, Out c) {
  Vector sum[R][V];
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) sum[r][v] = c.add ? load(c.at + r * c.row + v * LANES) : Vector{};
  const Index run = a.run ? a.run : K;
  for (Index done = 0; done < K; done += run, a.at += a.next) {
    const float* x = a.at;
    for (Index k = 0; k < run; ++k, x += a.k, b += stride) {
      Vector row[V];
      for (int v = 0; v < V; ++v) row[v] = load(b + v * LANES);
      for (int r = 0; r < R; ++r) {
        const Vector one = all(x[r * a.row]);
        for (int v = 0; v < V; ++v) sum[r][v] += one * row[v];
      }
    }
  }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) store(c.at + r * c.row + v * LANES, sum[r][v]);
}

template <int V>
inline void single_row(Left a, const float* b, Index stride, Index K, Out c) {
  Vector sum[CHAINS][V];
  for (int chain = 0; chain < CHAINS; ++chain)
    for (int v = 0; v < V; ++v) sum[chain][v] = Vector{};
  Index k = 0;
  for (; k + CHAINS <= K; k += CHAINS)
    for (int chain = 0; chain < CHAINS; ++chain) {
      const Vector x = all(a.at[(k + chain) * a.k]);
      for (int v = 0; v < V; ++v) sum[chain][v] += x * load(b + (k + chain) * stride + v * LANES);
    }
  Vector rest[V];
  for (int v = 0; v < V; ++v) rest[v] = (sum[0][v] + sum[1][v]) + (sum[2][v] + sum[3][v]);
  for (; k < K; ++k) {
    const Vector x = all(a.at[k * a.k]);
    for (int v = 0; v < V; ++v) rest[v] += x * load(b + k * stride + v * LANES);
  }
  for (int v = 0; v < V; ++v) {
    const Vector whole = rest[v];
    store(c.at + v * LANES, c.add ? load(c.at + v * LANES) + whole : whole);
  }
}

// At most R rows.
template <int R, int V>
inline void some_rows(Index rows, Left a, const float* b, Index stride, Index K, Out c) {
  if (rows == R) return tile<R, V>(a, b, stride, K, c);
  if constexpr (R > 1) some_rows<R - 1, V>(rows, a, b, stride, K, c);
}

template <int V>
void panel(Index rows, Left a, const float* b, Index stride, Index K, Out c) {
  constexpr int ROWS = rows_of_tile(V);
  if (rows == 1 && !a.run) return single_row<V>(a, b, stride, K, c);
  for (; rows > ROWS; rows -= ROWS) {
    tile<ROWS, V>(a, b, stride, K, c);
    a.at += ROWS * a.row;
    c.at += ROWS * c.row;
  }
  some_rows<ROWS, V>(rows, a, b, stride, K, c);
}

// C (rows, vectors) = A (rows, K) B (K, vectors), or C plus that. Where it is done again and again with the same B, every
// other time `backwards`, what the last time left in the nearest cache is used first.
inline void product(Index rows, Index vectors, Index K, Left a, Right b, Out c, bool backwards = false) {
  if (rows == 0 || vectors == 0) return;
  const Panels panels(vectors);
  for (Index i = 0; i < panels.count; ++i) {
    const Index p = backwards ? panels.count - 1 - i : i;
    const Index first = panels.first(p), width = panels.first(p + 1) - first;
    const float* at = b.at + first * LANES * (b.stride ? 1 : K);
    const Index stride = b.stride ? b.stride : width * LANES;
    const Out out = {c.at + first * LANES, c.row, c.add};
    switch (width) {
      case 1: panel<1>(rows, a, at, stride, K, out); break;
      case 2: panel<2>(rows, a, at, stride, K, out); break;
      default: panel<3>(rows, a, at, stride, K, out); break;
    }
  }
}

}  // namespace throughtime::THROUGHTIME_ISA

#endif
