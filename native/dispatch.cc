// Selection of kernels by the instruction sets of the CPU.
#include <cstdlib>
#include <cstring>

#include "kernels.h"

namespace throughtime {
namespace {

struct Table {
  const char* name;
  Index lanes;
  const Kernel* (*kernel)(CellKind, Activation);
  Linear (*linear)(bool complex);
};

// The tables that this CPU can run, widest vectors first.
struct Tables {
  Table tables[3];
  int count = 0;

  Tables() {
#ifdef THROUGHTIME_X86
    __builtin_cpu_init();
    const bool bmi = __builtin_cpu_supports("bmi");  // to iterate over the bits of a lane mask
    // It limits the instruction set to AVX2 or SSE2.
    const char* const limit = std::getenv("THROUGHTIME_INSTRUCTIONS");
    const auto limited_to = [&](const char* name) { return limit && !std::strcmp(limit, name); };
#ifdef THROUGHTIME_HAS_avx512
    const bool has_avx512 = bmi && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                            __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    if (has_avx512 && !limited_to("AVX2") && !limited_to("SSE2"))
      tables[count++] = {"AVX-512", 16, avx512::kernel, avx512::linear};
#endif
#ifdef THROUGHTIME_HAS_avx2
    const bool has_avx2 = bmi && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (has_avx2 && !limited_to("SSE2")) tables[count++] = {"AVX2", 8, avx2::kernel, avx2::linear};
#endif
    tables[count++] = {"SSE2", 4, portable::kernel, portable::linear};
#elif defined(__aarch64__)
    tables[count++] = {"NEON", 4, portable::kernel, portable::linear};
#else
    tables[count++] = {"portable", 4, portable::kernel, portable::linear};
#endif
  }
};

const Tables& available() {
  static const Tables tables;
  return tables;
}

}  // namespace

const Kernel* best_kernel(CellKind cell, Activation activation) {
  return available().tables[0].kernel(cell, activation);
}

Linear best_linear(bool complex, Index W) {
  const Tables& all = available();
  int i = 0;
  while (i + 1 < all.count && all.tables[i].lanes > W) ++i;
  return all.tables[i].linear(complex);
}

const char* instruction_set() { return available().tables[0].name; }

}  // namespace throughtime
