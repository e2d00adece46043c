// All kernels for one instruction set: this file is compiled once for each.
#include "kernels.h"

#include "linear.h"
#include "through_time.h"

namespace throughtime::THROUGHTIME_ISA {

const Kernel* kernel(CellKind cell, Activation activation) {
  switch (cell) {
    case CellKind::lstm: return &ThroughTime<LSTM>::KERNEL;
    case CellKind::gru: return &ThroughTime<GRU>::KERNEL;
    case CellKind::elman: break;
    default: return nullptr;
  }
  switch (activation) {
    case Activation::identity: return &ThroughTime<Elman<Identity>>::KERNEL;
    case Activation::sigmoid: return &ThroughTime<Elman<Sigmoid>>::KERNEL;
    case Activation::tanh: return &ThroughTime<Elman<Tanh>>::KERNEL;
    case Activation::relu: return &ThroughTime<Elman<Relu>>::KERNEL;
    case Activation::leaky_relu: return &ThroughTime<Elman<LeakyRelu>>::KERNEL;
    case Activation::elu: return &ThroughTime<Elman<Elu>>::KERNEL;
    default: return nullptr;
  }
}

Linear linear(bool complex) { return complex ? LinearRecurrence<Complex>::run : LinearRecurrence<Real>::run; }

}  // namespace throughtime::THROUGHTIME_ISA
