// Tasks on the runtime's own threads.
#ifndef THROUGHTIME_THREADS_H
#define THROUGHTIME_THREADS_H

#include <functional>

#include "problem.h"
#include "xla/ffi/api/ffi.h"

namespace throughtime {

// Does task(0) ... task(count - 1), each once, on up to `workers` threads, and returns when all are done:
// whether none of them threw.
//
// The caller takes tasks as well and waits only for those that are under way: it needs no thread of the pool, so a
// call from within the pool cannot wait for itself.
bool run_tasks(xla::ffi::ThreadPool& pool, Index count, Index workers, std::function<void(Index)> task);

}  // namespace throughtime

#endif
