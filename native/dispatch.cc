// Which of the tables this processor can run.
#include <cstdlib>
#include <cstring>

#include "kernels.h"

namespace throughtime {
namespace {

struct Choice {
  const char* name;
  Index lanes;
  const Kernel* (*kernel)(CellKind, Activation);
  Linear (*linear)(bool complex);
};

// What this processor can run, the widest vectors first.
struct Choices {
  Choice at[3];
  int count = 0;

  Choices() {
#ifdef THROUGHTIME_X86
    __builtin_cpu_init();
    const bool bmi = __builtin_cpu_supports("bmi");  // bit by bit through those that say which lanes are not 0
    const bool wide = bmi && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    const bool fused = bmi && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    // The environment variable THROUGHTIME_INSTRUCTIONS may name less than the processor has: AVX2 or SSE2.
    const char* const named = std::getenv("THROUGHTIME_INSTRUCTIONS");
    const auto is = [&](const char* name) { return named && !std::strcmp(named, name); };
    if (wide && !is("AVX2") && !is("SSE2")) at[count++] = {"AVX-512", 16, avx512::kernel, avx512::linear};
    if (fused && !is("SSE2")) at[count++] = {"AVX2", 8, avx2::kernel, avx2::linear};
    at[count++] = {"SSE2", 4, portable::kernel, portable::linear};
#elif defined(__aarch64__)
    at[count++] = {"NEON", 4, portable::kernel, portable::linear};
#else
    at[count++] = {"portable", 4, portable::kernel, portable::linear};
#endif
  }
};

const Choices& choices() {
  static const Choices all;
  return all;
}

}  // namespace

const Kernel* best_kernel(CellKind cell, Activation activation) { return choices().at[0].kernel(cell, activation); }

Linear best_linear(bool complex, Index W) {
  int i = 0;
  while (i + 1 < choices().count && choices().at[i].lanes > W) ++i;
  return choices().at[i].linear(complex);
}

const char* instruction_set() { return choices().at[0].name; }

}  // namespace throughtime
