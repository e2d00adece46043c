// The order in which the sequences of a batch run if their lengths differ, so that masked steps at the ends of
// sequences take no time.
#ifndef THROUGHTIME_ROW_ORDER_H
#define THROUGHTIME_ROW_ORDER_H

#include <algorithm>
#include <numeric>
#include <vector>

#include "args.h"
#include "problem.h"

namespace throughtime {

// Returns the number of steps from the first to the last observed one of T.
inline Index span_of(const bool* mask, Index T) {
  const bool* const first = std::find(mask, mask + T, true);
  const bool* last = mask + T;
  while (last > first && !last[-1]) --last;
  return last - first;
}

// With a unit in each lane, a step takes time for the sequences up to the last one that observes it, and for lanes
// without a unit, up to whole vectors of 16. With a sequence in each lane it takes time for all sequences, but about an
// eighth less for each.
inline bool order_pays(const Problem& problem, Index observed) {
  const Shape& s = problem.shape;
  return 9 * observed * residual_block(s.H) < 8 * problem.M * s.B * s.T * s.H;
}

// Returns the order (M, B) of the sequences, or nothing if they should keep theirs. The longest ones are dealt out to
// groups of GROUP_ROWS first, so that within a group no sequence is longer than the one before, and all groups have
// the same work.
inline std::vector<Index> order_of(const Flags& mask, const Problem& problem) {
  const Index M = problem.M, B = problem.shape.B, T = problem.shape.T;
  if (B < 2 || mask.element_count() == 0) return {};
  std::vector<Index> spans(M * B);
  for (Index row = 0; row < M * B; ++row) spans[row] = span_of(mask.typed_data() + row * T, T);
  if (!order_pays(problem, std::accumulate(spans.begin(), spans.end(), Index{0}))) return {};
  std::vector<Index> order(M * B), longest_first(B);
  for (Index m = 0; m < M; ++m) {
    const Index* const span = spans.data() + m * B;
    std::iota(longest_first.begin(), longest_first.end(), Index{0});
    std::stable_sort(longest_first.begin(), longest_first.end(), [&](Index a, Index b) { return span[a] > span[b]; });
    auto next = longest_first.begin();
    for (Index place = 0; place < GROUP_ROWS; ++place)
      for (Index at = place; at < B; at += GROUP_ROWS) order[m * B + at] = *next++;
  }
  return order;
}

}  // namespace throughtime

#endif
