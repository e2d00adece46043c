// Per-thread scratch buffers, reused between calls. Large ones are freed: reusing them gains little.
#ifndef THROUGHTIME_WORKSPACE_H
#define THROUGHTIME_WORKSPACE_H

#include <cstdlib>
#include <new>

#include "problem.h"

namespace throughtime {

// A buffer of floats, aligned to 64 bytes, that only grows.
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { free(); }

  // Returns room for `count` floats; previous contents are lost.
  float* at_least(Index count) {
    if (count > count_) {
      free();
      const std::size_t bytes = (static_cast<std::size_t>(count) * sizeof(float) + 127) / 64 * 64;
      data_ = static_cast<float*>(std::aligned_alloc(64, bytes));
      if (!data_) throw std::bad_alloc();
      count_ = count;
    }
    return data_;
  }

  void free_if_large() {
    if (count_ > MAX_KEPT) free();
  }

 private:
  static constexpr Index MAX_KEPT = 4 << 20;  // floats: 16 MiB

  void free() {
    std::free(data_);
    data_ = nullptr;
    count_ = 0;
  }

  float* data_ = nullptr;
  Index count_ = 0;
};

class Workspace {
 public:
  static Workspace& of_this_thread() {
    static thread_local Workspace workspace;
    return workspace;
  }

  float* scratch(Index count) { return scratch_.at_least(count); }
  float* packed_weights(Index count) { return packed_weights_.at_least(count); }
  float* weight_sums(Index count) { return weight_sums_.at_least(count); }

  void free_large() {
    free_large_except_packed();
    packed_weights_.free_if_large();
  }

  // For use while other threads may still read the packed weights.
  void free_large_except_packed() {
    scratch_.free_if_large();
    weight_sums_.free_if_large();
  }

 private:
  Buffer scratch_, packed_weights_, weight_sums_;
};

}  // namespace throughtime

#endif
