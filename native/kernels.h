// The tables of kernels: one for each instruction set of the build.
#ifndef THROUGHTIME_KERNELS_H
#define THROUGHTIME_KERNELS_H

#include "problem.h"

namespace throughtime {

enum class CellKind : std::int32_t { elman, gru, lstm };
enum class Activation : std::int32_t { identity, sigmoid, tanh, relu, leaky_relu, elu };

namespace portable {
const Kernel* kernel(CellKind, Activation);
Linear linear(bool complex);
}
namespace avx2 {
const Kernel* kernel(CellKind, Activation);
Linear linear(bool complex);
}
namespace avx512 {
const Kernel* kernel(CellKind, Activation);
Linear linear(bool complex);
}

// Returns the kernel for the widest vectors that this CPU has, or null if the cell has none.
const Kernel* best_kernel(CellKind, Activation);

// Returns the linear recurrence for the widest vectors that W floats fill.
Linear best_linear(bool complex, Index W);

// Returns the name of the widest instruction set in use.
const char* instruction_set();

}  // namespace throughtime

#endif
