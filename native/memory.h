// Memory that a thread keeps from call to call, so that none is asked for while a kernel runs.
#ifndef THROUGHTIME_MEMORY_H
#define THROUGHTIME_MEMORY_H

#include <cstdlib>
#include <new>

#include "problem.h"

namespace throughtime {

class Memory {
 public:
  static Memory& scratch() { return mine(0); }
  static Memory& packed() { return mine(1); }
  static Memory& sums() { return mine(2); }

  ~Memory() { std::free(at_); }

  // At least so many floats, aligned to 64 bytes; what was there before is lost.
  float* at_least(Index count) {
    if (count > count_) {
      std::free(at_);
      count_ = 0;
      at_ = static_cast<float*>(std::aligned_alloc(64, (static_cast<std::size_t>(count) * sizeof(float) + 127) / 64 * 64));
      if (!at_) throw std::bad_alloc();
      count_ = count;
    }
    return at_;
  }

 private:
  static Memory& mine(int use) {
    static thread_local Memory all[3];
    return all[use];
  }

  float* at_ = nullptr;
  Index count_ = 0;
};

}  // namespace throughtime

#endif
