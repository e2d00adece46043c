// Parallel tasks on XLA's thread pool.
#ifndef THROUGHTIME_THREADS_H
#define THROUGHTIME_THREADS_H

#include <functional>

#include "problem.h"
#include "xla/ffi/api/ffi.h"

namespace throughtime {

// Runs task(0) ... task(count - 1), each once, on up to `workers` threads. Returns when all are done; false if one
// threw.
//
// The caller runs tasks too and waits only for those that have started. It needs no thread of the pool, so a call from
// within the pool cannot deadlock.
bool run_tasks(xla::ffi::ThreadPool& pool, Index count, Index workers, std::function<void(Index)> task);

}  // namespace throughtime

#endif
