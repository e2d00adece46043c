#include "threads.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace throughtime {
namespace {

constexpr int SPINS = 20000;  // about 100 us, before the caller sleeps

// The state that the threads of one call share.
struct Board {
  Board(Index count, std::function<void(Index)> task) : count(count), task(std::move(task)) {}

  void work() {
    for (Index next; (next = taken.fetch_add(1)) < count;) {
      try {  // exceptions must not reach XLA's threads
        task(next);
      } catch (...) {
        failed = true;
      }
      if (done.fetch_add(1) + 1 == count) {
        const std::lock_guard<std::mutex> lock(mutex);
        all_done.notify_one();
      }
    }
  }

  const Index count;
  const std::function<void(Index)> task;
  std::atomic<Index> taken{0}, done{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::condition_variable all_done;
};

}  // namespace

bool run_tasks(xla::ffi::ThreadPool& pool, Index count, Index workers, std::function<void(Index)> task) {
  // A thread of the pool may start after the caller has returned, so the board is shared.
  const auto board = std::make_shared<Board>(count, std::move(task));
  for (Index worker = 1; worker < std::min(workers, count); ++worker) pool.Schedule([board] { board->work(); });
  board->work();
  for (int spin = 0; spin < SPINS && board->done.load() < count; ++spin) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  std::unique_lock<std::mutex> lock(board->mutex);
  board->all_done.wait(lock, [&] { return board->done.load() >= count; });
  return !board->failed;
}

}  // namespace throughtime
