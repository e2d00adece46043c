#include "passes.h"

#include <algorithm>
#include <new>

#include "partition.h"
#include "row_order.h"
#include "threads.h"
#include "workspace.h"

namespace throughtime {
namespace {

Workspace& workspace() { return Workspace::of_this_thread(); }

// The forward pass of model m, task by task.
class ForwardModel {
 public:
  static const float* pack(const Operands& in, const Problem& problem, Index m) {
    const Kernel& kernel = *problem.kernel;
    float* const packed = workspace().packed_weights(kernel.packed_forward_size(problem.shape));
    kernel.pack_forward(problem.shape, weights_of(in, problem, m), packed);
    return packed;
  }

  ForwardModel(const ForwardArgs& args, const Problem& problem, const Partition& partition, Index m,
               const float* packed)
      : kernel_(*problem.kernel), partition_(partition), pass_(pass_of(args, problem, m, packed)) {}

  void run(Index task) const {
    partition_.for_rows(task, [&](Index first, Index last) {
      float* const scratch = workspace().scratch(kernel_.forward_scratch_size(pass_.shape, last - first));
      kernel_.forward(pass_, first, last, scratch);
    });
  }

  void finish() const {}

 private:
  const Kernel& kernel_;
  const Partition& partition_;
  const ForwardPass pass_;
};

// The backward pass of model m, task by task. The weight gradients are complete after finish().
class BackwardModel {
 public:
  static const float* pack(const Operands& in, const Problem& problem, Index m) {
    const Kernel& kernel = *problem.kernel;
    float* const packed = workspace().packed_weights(kernel.packed_backward_size(problem.shape));
    kernel.pack_backward(problem.shape, weights_of(in, problem, m), packed);
    return packed;
  }

  BackwardModel(const BackwardArgs& args, const Problem& problem, const Partition& partition, Index m,
                const float* packed)
      : kernel_(*problem.kernel),
        partition_(partition),
        pass_(pass_of(args, problem, m, packed)),
        weights_(weight_gradients_of(args, m)),
        parts_(std::max<Index>(partition.parts(), 1)),
        stride_((kernel_.sums_size(problem.shape) + 15) / 16 * 16),
        sums_(workspace().weight_sums(stride_ * parts_)) {
    std::fill_n(sums_, stride_ * parts_, 0.0f);
  }

  void run(Index task) const {
    const Sums sums = partition_.sums(sums_, task, stride_);
    partition_.for_rows(task, [&](Index first, Index last) {
      float* const scratch = workspace().scratch(kernel_.backward_scratch_size(pass_.shape, last - first));
      kernel_.backward(pass_, first, last, sums, scratch);
    });
  }

  void finish() const {
    for (Index part = 1; part < parts_; ++part)
      for (Index i = 0; i < stride_; ++i) sums_[i] += sums_[part * stride_ + i];
    kernel_.unpack_sums(pass_.shape, sums_, weights_);
  }

 private:
  const Kernel& kernel_;
  const Partition& partition_;
  const BackwardPass pass_;
  const WeightGradients weights_;
  const Index parts_, stride_;
  float* const sums_;
};

// Returns if all tasks succeeded.
template <class Model, class Args>
bool run_one(const Args& args, const Problem& problem, const Partition& partition, ffi::ThreadPool& pool) {
  const Model model(args, problem, partition, 0, Model::pack(args.in, problem, 0));
  if (!run_tasks(pool, partition.tasks(), partition.workers(), [&](Index task) { model.run(task); })) return false;
  model.finish();
  return true;
}

// With several models, each is one task: none waits for another.
template <class Model, class Args>
bool run_many(const Args& args, const Problem& problem, const Partition& partition, ffi::ThreadPool& pool) {
  const float* const shared = problem.shared ? Model::pack(args.in, problem, 0) : nullptr;
  return run_tasks(pool, problem.M, partition.workers(), [&](Index m) {
    const Model model(args, problem, partition, m, shared ? shared : Model::pack(args.in, problem, m));
    for (Index task = 0; task < partition.tasks(); ++task) model.run(task);
    model.finish();
    if (shared)
      workspace().free_large_except_packed();
    else
      workspace().free_large();
  });
}

// Exceptions must not reach XLA. The only one possible is a failed allocation.
template <class Model, class Args>
ffi::Error run_models(const Args& args, Problem problem, ffi::ThreadPool& pool) {
  const Partition partition(problem, pool.num_threads());
  const auto run = problem.M == 1 ? run_one<Model, Args> : run_many<Model, Args>;
  bool succeeded = false;
  try {
    const std::vector<Index> order = order_of(args.in.mask, problem);
    problem.shape.ordered = !order.empty();
    problem.order = order.empty() ? nullptr : order.data();
    succeeded = run(args, problem, partition, pool);
  } catch (const std::bad_alloc&) {
  }
  workspace().free_large();
  if (succeeded) return ffi::Error::Success();
  return ffi::Error(ffi::ErrorCode::kResourceExhausted, "throughtime: there is not enough memory for the kernel");
}

}  // namespace

ffi::Error run_passes(const ForwardArgs& args, const Problem& problem, ffi::ThreadPool& pool) {
  return run_models<ForwardModel>(args, problem, pool);
}

ffi::Error run_passes(const BackwardArgs& args, const Problem& problem, ffi::ThreadPool& pool) {
  return run_models<BackwardModel>(args, problem, pool);
}

}  // namespace throughtime
