// The tables of kernels, one for each instruction set that the library was built for.
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

// Of the widest instructions that this processor has; null where there is none of this cell.
const Kernel* best_kernel(CellKind, Activation);

// The same, of what is linear: of real numbers, or of complex ones. Of the widest that W floats fill.
Linear best_linear(bool complex, Index W);

// What they are called.
const char* instruction_set();

}  // namespace throughtime

#endif
