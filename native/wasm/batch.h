// A batch of sequences, what a network makes of it, and the training step.
#ifndef THROUGHTIME_WASM_BATCH_H
#define THROUGHTIME_WASM_BATCH_H

#include "readout.h"

namespace throughtime {

constexpr Index ROWS_AT_ONCE = 32;

class Batch {
 public:
  const Shape shape;
  // xs (B, T, D); targets (B, T), numbers or classes; scored (B, T), 1 where the answer counts, else 0; hs (B, T, H);
  // ys (B, T, O), 0 where the answer does not count.
  const Floats xs, targets, scored, hs, ys;

  Batch(Network& net, Index B, Index T)
      : shape{B, T, net.sizes.D, net.sizes.H, false, false},
        xs(B * T * shape.D),
        targets(B * T),
        scored(B * T),
        hs(B * T * shape.H),
        ys(B * T * net.sizes.O),
        net_(net),
        d_hs_(hs.count()),
        d_ys_(ys.count()),
        zeros_(B * shape.H),
        last_(2 * B * shape.H),
        residuals_(B * T * net.kernel.residual_blocks * residual_block(shape.H)),
        packed_(larger(net.kernel.packed_forward_size(shape), net.kernel.packed_backward_size(shape))),
        scratch_(larger(scratch_size(net.kernel.forward_scratch_size), scratch_size(net.kernel.backward_scratch_size))),
        sums_(net.kernel.sums_size(shape)) {}

  // Runs the network forward and returns the loss.
  float evaluate() {
    const Kernel& kernel = net_.kernel;
    kernel.pack_forward(shape, net_.weights.weights(), packed_);
    const ForwardPass pass = {shape, packed_, inputs(), {hs, last_, last_ + shape.B * shape.H, residuals_}};
    for_rows([&](Index first, Index last) { kernel.forward(pass, first, last, scratch_); });
    return score();
  }

  // One training step; returns the loss before it.
  float train(float rate, float limit) {
    const float value = evaluate();
    differentiate();
    norm_ = clip(net_.gradient, limit);
    net_.adam.update(net_.parameters, net_.gradient, rate);
    return value;
  }

  // The norm of the last training step's gradient, before clipping.
  float norm() const { return norm_; }

  // Writes the gradient of the loss that evaluate() returned.
  void differentiate() {
    net_.gradient.clear();
    d_hs_.clear();
    for_scored([&](Index at) {
      read_out_backward(net_, hs + at * shape.H, d_ys_ + at * net_.sizes.O, d_hs_ + at * shape.H);
    });
    const Kernel& kernel = net_.kernel;
    kernel.pack_backward(shape, net_.weights.weights(), packed_);
    sums_.clear();
    const BackwardPass pass = {shape,  packed_, inputs(), {hs, residuals_}, {d_hs_, zeros_, zeros_},
                               {nullptr, last_, last_ + shape.B * shape.H}};
    for_rows([&](Index first, Index last) { kernel.backward(pass, first, last, {sums_, shape.B, 0}, scratch_); });
    kernel.unpack_sums(shape, sums_, net_.gradients.gradients());
  }

 private:
  static Index larger(Index a, Index b) { return a < b ? b : a; }

  // The rest of a division by ROWS_AT_ONCE may need more room than the whole.
  Index scratch_size(Index (*size)(const Shape&, Index rows)) const {
    Index most = 0;
    for (Index rows = 1; rows <= shape.B && rows <= ROWS_AT_ONCE; ++rows) most = larger(most, size(shape, rows));
    return most;
  }

  Inputs inputs() const { return {xs, zeros_, zeros_, nullptr, nullptr}; }

  template <class Run>
  void for_rows(Run run) const {
    for (Index first = 0; first < shape.B; first += ROWS_AT_ONCE)
      run(first, first + ROWS_AT_ONCE < shape.B ? first + ROWS_AT_ONCE : shape.B);
  }

  template <class Visit>
  void for_scored(Visit visit) const {
    for (Index at = 0; at < shape.B * shape.T; ++at)
      if (scored[at] != 0) visit(at);
  }

  // Reads out the scored steps and returns the loss, with its derivative by ys in d_ys.
  float score() const {
    const Index O = net_.sizes.O;
    Index count = 0;
    float sum = 0;
    for_scored([&](Index at) {
      read_out(net_, hs + at * shape.H, ys + at * O);
      sum += loss(ys + at * O, O, targets[at], d_ys_ + at * O);
      ++count;
    });
    for_scored([&](Index at) {
      for (Index o = 0; o < O; ++o) d_ys_[at * O + o] /= count;
    });
    return sum / count;
  }

  Network& net_;
  float norm_ = 0;
  const Floats d_hs_, d_ys_, zeros_, last_, residuals_, packed_, scratch_, sums_;
};

}  // namespace throughtime

#endif
