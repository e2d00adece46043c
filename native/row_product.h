// The product of a single row with a matrix, each number of which is read for one multiplication: what takes the time is
// to fetch them. So panels are wide, and every other product goes backwards, from what the last one left in the nearest
// cache; or, where about half of the row are zeros, what would be multiplied by them is not fetched at all.
#ifndef THROUGHTIME_ROW_PRODUCT_H
#define THROUGHTIME_ROW_PRODUCT_H

#include "product.h"

namespace throughtime::THROUGHTIME_ISA {

constexpr int WIDEST = 8;  // vectors of a panel

// K numbers of a, a.k apart, with as many rows of a panel of V vectors, `step` apart; both may be negative. Sums stand side
// by side, as far as there are registers, so that none waits for its last addition.
template <int V>
void row_panel(Left a, const float* b, Index step, Index K, Out c) {
  constexpr int MOST = V > 4 ? 2 : 4, CHAINS = MOST * V < THROUGHTIME_REGISTERS ? MOST : MOST / 2;
  Vector sum[CHAINS][V];
  THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) {
    sum[0][v] = c.add ? load(c.at + v * LANES) : Vector{};
    THROUGHTIME_UNROLLED for (int chain = 1; chain < CHAINS; ++chain) sum[chain][v] = Vector{};
  }
  Index k = 0;
  for (; k + CHAINS <= K; k += CHAINS)
    THROUGHTIME_UNROLLED for (int chain = 0; chain < CHAINS; ++chain, a.at += a.k, b += step) {
      const Vector x = all(*a.at);
      THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) sum[chain][v] += x * load(b + v * LANES);
    }
  for (; k < K; ++k, a.at += a.k, b += step) {
    const Vector x = all(*a.at);
    THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) sum[0][v] += x * load(b + v * LANES);
  }
  THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) {
    THROUGHTIME_UNROLLED for (int chain = 1; chain < CHAINS; ++chain) sum[0][v] += sum[chain][v];
    store(c.at + v * LANES, sum[0][v]);
  }
}

template <int V = WIDEST>
inline void some_vectors(Index vectors, Left a, const float* b, Index step, Index K, Out c) {
  if (vectors == V) return row_panel<V>(a, b, step, K, c);
  if constexpr (V > 1) some_vectors<V - 1>(vectors, a, b, step, K, c);
}

// C (columns,) = a (K,) B (K, columns), or C plus that, with B packed in panels of up to WIDEST vectors; K may be cut into
// runs. Whole vectors are written.
inline void row_product(Index columns, Index K, Left a, const float* b, Out c, bool backwards) {
  const Panels panels(columns, WIDEST);
  const Index run = a.run ? a.run : K;
  for (Index i = 0; i < panels.count; ++i) {
    const Index p = backwards ? panels.count - 1 - i : i, stride = panels.stride(p);
    const float* const panel = b + panels.first(p) * LANES * K;
    Out out = {c.at + panels.first(p) * LANES, 0, c.add};
    for (Index done = 0; done < K; done += run, out.add = true) {
      const Index k = backwards ? K - 1 - done : done, sign = backwards ? -1 : 1;
      const Left some = {a.at + k / run * a.next + k % run * a.k, 0, sign * a.k};
      some_vectors(panels.width(p), some, panel + k * stride, sign * stride, run, out);
    }
  }
}

// Which of `count` numbers, 64 at most, are not 0: a bit for each. Whole vectors are read.
inline std::uint64_t not_zero(const float* at, Index count) {
  std::uint64_t bits = 0;
  for (Index k = 0; k < count; k += LANES) bits |= std::uint64_t{not_zero(load(at + k))} << k;
  return count < 64 ? bits & ((std::uint64_t{1} << count) - 1) : bits;
}

template <int V>
void sparse_row_panel(const float* a, const float* b, Index K, Out c) {
  Vector sum[V];
  THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) sum[v] = c.add ? load(c.at + v * LANES) : Vector{};
  for (Index first = 0; first < K; first += 64, a += 64, b += 64 * V * LANES)
    for (std::uint64_t bits = not_zero(a, K - first < 64 ? K - first : 64); bits; bits &= bits - 1) {
      const int k = __builtin_ctzll(bits);
      const Vector x = all(a[k]);
      THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) sum[v] += x * load(b + (k * V + v) * LANES);
    }
  THROUGHTIME_UNROLLED for (int v = 0; v < V; ++v) store(c.at + v * LANES, sum[v]);
}

template <int V = WIDEST>
inline void some_sparse_vectors(Index vectors, const float* a, const float* b, Index K, Out c) {
  if (vectors == V) return sparse_row_panel<V>(a, b, K, c);
  if constexpr (V > 1) some_sparse_vectors<V - 1>(vectors, a, b, K, c);
}

// The same for a row of numbers side by side, many of which are 0. What is infinite or no number in B and meets
// a 0 makes no NaN.
inline void sparse_row_product(Index columns, Index K, const float* a, const float* b, Out c) {
  const Panels panels(columns, WIDEST);
  for (Index p = 0; p < panels.count; ++p) {
    const Index first = panels.first(p) * LANES;
    some_sparse_vectors(panels.width(p), a, b + first * K, K, {c.at + first, 0, c.add});
  }
}

}  // namespace throughtime::THROUGHTIME_ISA

#endif
