// Products of a single row and a matrix. Each number of the matrix is used once, so fetching it takes the time.
// Therefore panels are wide, and every other product runs backwards, starting with the panels still in cache. If
// about half of the row are zeros, the numbers that would be multiplied by them are not fetched.
#ifndef THROUGHTIME_ROW_PRODUCT_H
#define THROUGHTIME_ROW_PRODUCT_H

#include "product.h"

namespace throughtime::THROUGHTIME_ISA {

constexpr int ROW_PANEL_VECTORS = 8;  // at most

// Multiplies K numbers of a by the rows of a panel of V vectors, `step` apart; both strides may be negative. There are
// as many independent chains of sums as registers allow, so that no addition waits for the one before.
template <int V>
THROUGHTIME_NOINLINE void row_panel(Left a, const float* b, Index step, Index K, Out c) {
  constexpr int MAX_CHAINS = V > 4 ? 2 : 4;
  constexpr int CHAINS = MAX_CHAINS * V < THROUGHTIME_REGISTERS ? MAX_CHAINS : MAX_CHAINS / 2;
  Vector sum[CHAINS][V];
  THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) {
    sum[0][v] = c.add ? load(c.data + v * LANES) : Vector{};
    THROUGHTIME_UNROLLED for (int chain = 1; chain < CHAINS; ++chain) sum[chain][v] = Vector{};
  }
  Index k = 0;
  for (; k + CHAINS <= K; k += CHAINS)
    THROUGHTIME_UNROLLED for (int chain = 0; chain < CHAINS; ++chain, a.data += a.k_stride, b += step) {
      const Vector x = broadcast(*a.data);
      THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) sum[chain][v] += x * load(b + v * LANES);
    }
  for (; k < K; ++k, a.data += a.k_stride, b += step) {
    const Vector x = broadcast(*a.data);
    THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) sum[0][v] += x * load(b + v * LANES);
  }
  THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) {
    THROUGHTIME_UNROLLED for (int chain = 1; chain < CHAINS; ++chain) sum[0][v] += sum[chain][v];
    store(c.data + v * LANES, sum[0][v]);
  }
}

// Calls the panel of `vectors` vectors, at most V.
template <int V = ROW_PANEL_VECTORS>
inline void row_panel_of(Index vectors, Left a, const float* b, Index step, Index K, Out c) {
  if (vectors == V) return row_panel<V>(a, b, step, K, c);
  if constexpr (V > 1) row_panel_of<V - 1>(vectors, a, b, step, K, c);
}

// C (columns,) = a (K,) B (K, columns), or C plus that, with B packed into panels of up to ROW_PANEL_VECTORS vectors; K
// may be cut into runs. Whole vectors are written.
inline void row_product(Index columns, Index K, Left a, const float* b, Out c, bool backwards) {
  const Panels panels(columns, ROW_PANEL_VECTORS);
  const Index run = a.run ? a.run : K;
  for (Index i = 0; i < panels.count; ++i) {
    const Index p = backwards ? panels.count - 1 - i : i, stride = panels.stride(p);
    const float* const panel = b + panels.first(p) * LANES * K;
    Out out = {c.data + panels.first(p) * LANES, 0, c.add};
    for (Index done = 0; done < K; done += run, out.add = true) {
      const Index k = backwards ? K - 1 - done : done, sign = backwards ? -1 : 1;
      const Left part = {a.data + k / run * a.run_stride + k % run * a.k_stride, 0, sign * a.k_stride};
      row_panel_of(panels.width(p), part, panel + k * stride, sign * stride, run, out);
    }
  }
}

// Returns a bit for each of `count` numbers, 64 at most: 1 if it is not 0. Whole vectors are read.
inline std::uint64_t nonzero(const float* from, Index count) {
  std::uint64_t bits = 0;
  for (Index k = 0; k < count; k += LANES) bits |= std::uint64_t{nonzero_lanes(load(from + k))} << k;
  return count < 64 ? bits & ((std::uint64_t{1} << count) - 1) : bits;
}

template <int V>
void sparse_row_panel(const float* a, const float* b, Index K, Out c) {
  Vector sum[V];
  THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) sum[v] = c.add ? load(c.data + v * LANES) : Vector{};
  for (Index first = 0; first < K; first += 64, a += 64, b += 64 * V * LANES)
    for (std::uint64_t bits = nonzero(a, K - first < 64 ? K - first : 64); bits; bits &= bits - 1) {
      const int k = __builtin_ctzll(bits);
      const Vector x = broadcast(a[k]);
      THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) sum[v] += x * load(b + (k * V + v) * LANES);
    }
  THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) store(c.data + v * LANES, sum[v]);
}

template <int V = ROW_PANEL_VECTORS>
inline void sparse_row_panel_of(Index vectors, const float* a, const float* b, Index K, Out c) {
  if (vectors == V) return sparse_row_panel<V>(a, b, K, c);
  if constexpr (V > 1) sparse_row_panel_of<V - 1>(vectors, a, b, K, c);
}

// The same for a contiguous row with many zeros. An infinity or NaN in B that would be multiplied by 0 makes no NaN.
inline void sparse_row_product(Index columns, Index K, const float* a, const float* b, Out c) {
  const Panels panels(columns, ROW_PANEL_VECTORS);
  for (Index p = 0; p < panels.count; ++p) {
    const Index first = panels.first(p) * LANES;
    sparse_row_panel_of(panels.width(p), a, b + first * K, K, {c.data + first, 0, c.add});
  }
}

}  // namespace throughtime::THROUGHTIME_ISA

#endif
