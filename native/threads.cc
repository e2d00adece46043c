#include "threads.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace throughtime {
namespace {

struct Board {
  Board(Index count, std::function<void(Index)> task) : count(count), task(std::move(task)) {}

  void work() {
    for (Index next; (next = taken.fetch_add(1)) < count;) {
      task(next);
      if (done.fetch_add(1) + 1 == count) {
        const std::lock_guard<std::mutex> lock(mutex);
        all_done.notify_one();
      }
    }
  }

  const Index count;
  const std::function<void(Index)> task;
  std::atomic<Index> taken{0}, done{0};
  std::mutex mutex;
  std::condition_variable all_done;
};

}  // namespace

void run_tasks(xla::ffi::ThreadPool& pool, Index count, Index workers, std::function<void(Index)> task) {
  if (workers <= 1 || count <= 1) {
    for (Index i = 0; i < count; ++i) task(i);
    return;
  }
  // A thread of the pool may come when all is done and the caller gone: the board stays until then.
  const auto board = std::make_shared<Board>(count, std::move(task));
  for (Index other = 1; other < std::min(workers, count); ++other) pool.Schedule([board] { board->work(); });
  board->work();
  for (int spin = 0; spin < 20000 && board->done.load() < count; ++spin) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  std::unique_lock<std::mutex> lock(board->mutex);
  board->all_done.wait(lock, [&] { return board->done.load() >= count; });
}

}  // namespace throughtime
