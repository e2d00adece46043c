// One sequence, step by step: its states and gates, the way of a gradient back through it, and running on alone.
#ifndef THROUGHTIME_WASM_WALK_H
#define THROUGHTIME_WASM_WALK_H

#include "readout.h"

namespace throughtime {

class Walk {
 public:
  const Index T;
  // xs (T, D); hs and cs (T + 1, H), the states before each step and after the last; gates (T, residual_blocks,
  // residual_block(H)), those of an LSTM i, f, g, o, of a GRU r, z, n; ys (T, O); d_hs and d_cs (T + 1, H), the
  // derivative of an answer by hs and cs.
  const Floats xs, hs, cs, gates, ys, d_hs, d_cs;

  Walk(const Network& net, Index T)
      : T(T),
        xs(T * net.sizes.D),
        hs((T + 1) * net.sizes.H),
        cs((T + 1) * net.sizes.H),
        gates(T * blocks_size(net)),
        ys(T * net.sizes.O),
        d_hs(hs.count()),
        d_cs(cs.count()),
        net_(net),
        step_{1, 1, net.sizes.D, net.sizes.H, false, false},
        out_(net.sizes.H),
        zeros_(net.sizes.H),
        forward_weights_(net.kernel.packed_forward_size(step_)),
        backward_weights_(net.kernel.packed_backward_size(step_)),
        forward_scratch_(net.kernel.forward_scratch_size(step_, 1)),
        backward_scratch_(net.kernel.backward_scratch_size(step_, 1)),
        sums_(net.kernel.sums_size(step_)) {}

  // Runs the first `given` steps of xs; from then on the network's first output is its next input.
  void forward(Index given) {
    net_.kernel.pack_forward(step_, net_.weights.weights(), forward_weights_);
    for (Index t = 0; t < T; ++t) {
      if (t >= given) xs[t * step_.D] = ys[(t - 1) * net_.sizes.O];
      const Outputs out = {out_, hs + (t + 1) * step_.H, cs + (t + 1) * step_.H, gates + t * blocks_size(net_)};
      net_.kernel.forward({step_, forward_weights_, inputs(t), out}, 0, 1, forward_scratch_);
      read_out(net_, hs + (t + 1) * step_.H, ys + t * net_.sizes.O);
    }
  }

  // Follows the derivative of output o at the last step back to each state. forward() must have run.
  void backward(Index o) {
    const Index H = step_.H;
    net_.kernel.pack_backward(step_, net_.weights.weights(), backward_weights_);
    std::memcpy(d_hs + T * H, net_.weights.w_out + o * H, H * sizeof(float));
    std::memset(d_cs + T * H, 0, H * sizeof(float));
    for (Index t = T; t-- > 0;) {
      const Residuals residuals = {hs + (t + 1) * H, gates + t * blocks_size(net_)};
      const Cotangents after = {zeros_, d_hs + (t + 1) * H, d_cs + (t + 1) * H};
      const BackwardPass pass = {step_, backward_weights_, inputs(t), residuals, after,
                                 {nullptr, d_hs + t * H, d_cs + t * H}};
      net_.kernel.backward(pass, 0, 1, {sums_, 1, 0}, backward_scratch_);
    }
  }

 private:
  static Index blocks_size(const Network& net) { return net.kernel.residual_blocks * residual_block(net.sizes.H); }

  Inputs inputs(Index t) const { return {xs + t * step_.D, hs + t * step_.H, cs + t * step_.H, nullptr, nullptr}; }

  const Network& net_;
  const Shape step_;  // one step of one sequence
  const Floats out_, zeros_, forward_weights_, backward_weights_, forward_scratch_, backward_scratch_, sums_;
};

}  // namespace throughtime

#endif
