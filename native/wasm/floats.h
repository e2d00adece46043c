// A buffer of zeros, aligned to 64 bytes as the kernels need it.
#ifndef THROUGHTIME_WASM_FLOATS_H
#define THROUGHTIME_WASM_FLOATS_H

#include <cstdlib>
#include <cstring>

#include "../problem.h"

namespace throughtime {

class Floats {
 public:
  explicit Floats(Index count) : count_(count) {
    const std::size_t bytes = (static_cast<std::size_t>(count) * sizeof(float) + 127) / 64 * 64;
    data_ = static_cast<float*>(std::aligned_alloc(64, bytes));
    if (!data_) __builtin_trap();  // the page catches it
    std::memset(data_, 0, bytes);
  }
  Floats(const Floats&) = delete;
  Floats& operator=(const Floats&) = delete;
  ~Floats() { std::free(data_); }

  operator float*() const { return data_; }
  Index count() const { return count_; }
  void clear() const { std::memset(data_, 0, count_ * sizeof(float)); }

 private:
  float* data_;
  Index count_;
};

}  // namespace throughtime

#endif
