// Which of the tables this processor can run.
#include "kernels.h"

namespace throughtime {
namespace {

struct Choice {
  const char* name;
  const Kernel* (*kernel)(CellKind, Activation);
};

Choice choose() {
#ifdef THROUGHTIME_X86
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) return {"AVX-512", avx512::kernel};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {"AVX2", avx2::kernel};
  return {"SSE2", portable::kernel};
#elif defined(__aarch64__)
  return {"NEON", portable::kernel};
#else
  return {"portable", portable::kernel};
#endif
}

const Choice& chosen() {
  static const Choice choice = choose();
  return choice;
}

}  // namespace

const Kernel* best_kernel(CellKind cell, Activation activation) { return chosen().kernel(cell, activation); }

const char* instruction_set() { return chosen().name; }

}  // namespace throughtime
