// The division of a batch into parts and tasks.
#ifndef THROUGHTIME_PARTITION_H
#define THROUGHTIME_PARTITION_H

#include <algorithm>

#include "args.h"
#include "problem.h"

namespace throughtime {

constexpr Index ROWS_AT_ONCE = 32;          // of a batch: the scratch buffers hold no more
constexpr Index SMALL_GRANULE = 16;         // rows: whole vectors of any instruction set
constexpr Index LARGE_BATCH = 64;           // rows, from which on a granule is twice as large
constexpr Index MAX_PARTS = 8;              // each needs separate sums, which are added up at the end
constexpr Index WORK_PER_THREAD = 400'000;  // multiplications: about 10 us, the time to wake a thread

static_assert(SMALL_GRANULE % GROUP_ROWS == 0, "a group belongs to one part");

// A part is a whole number of granules with one sum of weight gradients. Parts depend on the batch size alone, so the
// sums are the same to the last bit on any number of threads. A task is one part, or two of the smallest, which are
// faster together. Residuals are laid out by task: tasks depend only on the batch and the size of the thread pool,
// which both passes share.
class Partition {
 public:
  Partition(const Problem& problem, Index threads)
      : B_(problem.shape.B),
        granule_(B_ < LARGE_BATCH ? SMALL_GRANULE : 2 * SMALL_GRANULE),
        granules_((B_ + granule_ - 1) / granule_),
        parts_(std::min(granules_, MAX_PARTS)) {
    const Shape& s = problem.shape;
    const Index work = problem.M * B_ * s.T * (s.H + s.D + 1) * s.H * problem.kernel->gates;
    threads = std::max<Index>(1, threads);
    workers_ = std::clamp<Index>(work / WORK_PER_THREAD, 1, threads);
    parts_per_task_ = granule_ == SMALL_GRANULE && (parts_ + 1) / 2 >= threads ? 2 : 1;
    tasks_ = (parts_ + parts_per_task_ - 1) / parts_per_task_;
  }

  Index parts() const { return parts_; }
  Index tasks() const { return tasks_; }
  Index workers() const { return workers_; }

  // Calls run(first, last) for a task's rows, at most ROWS_AT_ONCE at a time.
  template <class Run>
  void for_rows(Index task, Run run) const {
    const Index end = begin(task + 1);
    for (Index first = begin(task); first < end; first += ROWS_AT_ONCE) run(first, std::min(first + ROWS_AT_ONCE, end));
  }

  // Returns a task's sums within those of all parts.
  Sums sums(float* of_all_parts, Index task, Index stride) const {
    return {of_all_parts + task * parts_per_task_ * stride, parts_per_task_ > 1 ? granule_ : B_, stride};
  }

 private:
  Index begin(Index task) const { return std::min(task * parts_per_task_ * granules_ / parts_ * granule_, B_); }

  Index B_, granule_, granules_, parts_, workers_, parts_per_task_, tasks_;
};

}  // namespace throughtime

#endif
