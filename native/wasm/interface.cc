// The functions that a page calls. Addresses are those of arrays of floats in the module's memory.
#include "batch.h"
#include "network.h"
#include "walk.h"

using namespace throughtime;

#define EXPORT extern "C" __attribute__((visibility("default")))

// The library's own would bring its messages with it, and the imports to write them.
void* operator new(std::size_t size) {
  void* const room = std::malloc(size);
  if (!room) __builtin_trap();
  return room;
}
void operator delete(void* room) noexcept { std::free(room); }
void operator delete(void* room, std::size_t) noexcept { std::free(room); }

// Cells and activations by the numbers of kernels.h; null for a cell without a kernel.
EXPORT Network* network_new(int cell, int activation, int D, int H, int O) {
  const Kernel* const kernel = portable::kernel(CellKind{cell}, Activation{activation});
  return kernel ? new Network(*kernel, {D, H, O}) : nullptr;
}
EXPORT void network_free(Network* net) { delete net; }
EXPORT float* network_parameters(const Network* net) { return net->parameters; }
EXPORT float* network_gradient(const Network* net) { return net->gradient; }
EXPORT int network_size(const Network* net) { return static_cast<int>(net->parameters.count()); }

EXPORT Batch* batch_new(Network* net, int B, int T) { return new Batch(*net, B, T); }
EXPORT void batch_free(Batch* batch) { delete batch; }
EXPORT float* batch_xs(const Batch* batch) { return batch->xs; }
EXPORT float* batch_targets(const Batch* batch) { return batch->targets; }
EXPORT float* batch_scored(const Batch* batch) { return batch->scored; }
EXPORT float* batch_ys(const Batch* batch) { return batch->ys; }
EXPORT float batch_evaluate(Batch* batch) { return batch->evaluate(); }
EXPORT float batch_train(Batch* batch, float rate, float limit) { return batch->train(rate, limit); }
// The norm of the last training step's gradient, before clipping.
EXPORT float batch_norm(const Batch* batch) { return batch->norm(); }

EXPORT Walk* walk_new(const Network* net, int T) { return new Walk(*net, T); }
EXPORT void walk_free(Walk* walk) { delete walk; }
EXPORT float* walk_xs(const Walk* walk) { return walk->xs; }
EXPORT float* walk_hs(const Walk* walk) { return walk->hs; }
EXPORT float* walk_cs(const Walk* walk) { return walk->cs; }
EXPORT float* walk_gates(const Walk* walk) { return walk->gates; }
EXPORT float* walk_ys(const Walk* walk) { return walk->ys; }
EXPORT float* walk_d_hs(const Walk* walk) { return walk->d_hs; }
EXPORT float* walk_d_cs(const Walk* walk) { return walk->d_cs; }
EXPORT void walk_forward(Walk* walk, int given) { walk->forward(given); }
EXPORT void walk_backward(Walk* walk, int output) { walk->backward(output); }
