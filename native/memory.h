// Memory that a thread keeps from call to call, so that none is asked for while a kernel runs. Of what is large little is
// gained by that: it is given back.
#ifndef THROUGHTIME_MEMORY_H
#define THROUGHTIME_MEMORY_H

#include <cstdlib>
#include <initializer_list>
#include <new>

#include "problem.h"

namespace throughtime {

class Memory {
 public:
  static Memory& scratch() { return mine(0); }
  static Memory& packed() { return mine(1); }
  static Memory& sums() { return mine(2); }

  // Gives back what this thread has too much of; not what is packed where others still read it.
  static void trim(bool packed_too = true) {
    for (Memory* one : {&scratch(), &sums(), &packed()})
      if (one->count_ > KEPT && (packed_too || one != &packed())) one->free();
  }

  ~Memory() { free(); }

  // At least so many floats, aligned to 64 bytes; what was there before is lost.
  float* at_least(Index count) {
    if (count > count_) {
      free();
      at_ = static_cast<float*>(std::aligned_alloc(64, (static_cast<std::size_t>(count) * sizeof(float) + 127) / 64 * 64));
      if (!at_) throw std::bad_alloc();
      count_ = count;
    }
    return at_;
  }

 private:
  static constexpr Index KEPT = 4 << 20;  // floats: 16 MiB

  void free() {
    std::free(at_);
    at_ = nullptr;
    count_ = 0;
  }

  static Memory& mine(int use) {
    static thread_local Memory all[3];
    return all[use];
  }

  float* at_ = nullptr;
  Index count_ = 0;
};

}  // namespace throughtime

#endif
