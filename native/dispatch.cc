// Which of the tables this processor can run.
#include <cstdlib>
#include <cstring>

#include "kernels.h"

namespace throughtime {
namespace {

struct Choice {
  const char* name;
  const Kernel* (*kernel)(CellKind, Activation);
  Linear (*linear)(bool complex);
};

#ifdef THROUGHTIME_X86
// The environment variable THROUGHTIME_INSTRUCTIONS may name one of less than the processor has: AVX2 or SSE2.
bool may_be(const char* name) {
  const char* const named = std::getenv("THROUGHTIME_INSTRUCTIONS");
  return !named || !std::strcmp(named, name);
}
#endif

Choice choose() {
#ifdef THROUGHTIME_X86
  __builtin_cpu_init();
  const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  if (wide && may_be("AVX-512")) return {"AVX-512", avx512::kernel, avx512::linear};
  const bool fused = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (fused && may_be("AVX2")) return {"AVX2", avx2::kernel, avx2::linear};
  return {"SSE2", portable::kernel, portable::linear};
#elif defined(__aarch64__)
  return {"NEON", portable::kernel, portable::linear};
#else
  return {"portable", portable::kernel, portable::linear};
#endif
}

const Choice& chosen() {
  static const Choice choice = choose();
  return choice;
}

}  // namespace

const Kernel* best_kernel(CellKind cell, Activation activation) { return chosen().kernel(cell, activation); }

Linear best_linear(bool complex) { return chosen().linear(complex); }

const char* instruction_set() { return chosen().name; }

}  // namespace throughtime
