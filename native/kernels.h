// The tables of kernels, one for each instruction set that the library was built for.
#ifndef THROUGHTIME_KERNELS_H
#define THROUGHTIME_KERNELS_H

#include "problem.h"

namespace throughtime {

enum class CellKind : std::int32_t { elman, gru, lstm };
enum class Activation : std::int32_t { identity, sigmoid, tanh, relu, leaky_relu, elu };

#define THROUGHTIME_TABLE(isa) \
  namespace isa {              \
  const Kernel* kernel(CellKind, Activation); \
  }
THROUGHTIME_TABLE(portable)
#ifdef THROUGHTIME_X86
THROUGHTIME_TABLE(avx2)
THROUGHTIME_TABLE(avx512)
#endif
#undef THROUGHTIME_TABLE

// Of the widest instructions that this processor has; null where there is none of this cell.
const Kernel* best_kernel(CellKind, Activation);

// What they are called.
const char* instruction_set();

}  // namespace throughtime

#endif
