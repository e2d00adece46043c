// The foreign functions for cells that are linear in their state.
#include <algorithm>

#include "kernels.h"
#include "threads.h"
#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

namespace throughtime {
namespace {

constexpr Index WORTH_A_THREAD = 200'000;  // floats: some 20 us

template <ffi::DataType TYPE>
ffi::Error linear(ffi::ThreadPool pool, ffi::Buffer<TYPE> a, ffi::Buffer<TYPE> c, ffi::Result<ffi::Buffer<TYPE>> s,
                  bool reverse, bool late) {
  const auto shape = c.dimensions(), factors = a.dimensions(), states = s->dimensions();
  const auto fits = [&](auto other) { return std::equal(shape.begin(), shape.end(), other.begin(), other.end()); };
  if (shape.size() < 2 || !fits(factors) || !fits(states))
    return ffi::Error::InvalidArgument("throughtime: the shapes of a, c and the states do not fit");
  constexpr bool COMPLEX = TYPE == ffi::DataType::C64;
  const Index T = shape[shape.size() - 2], width = shape[shape.size() - 1], W = COMPLEX ? 2 * width : width;
  Index N = 1;
  for (std::size_t i = 0; i + 2 < shape.size(); ++i) N *= shape[i];
  const Sequences sequences{T, W, reverse, late};
  const Linear run = best_linear(COMPLEX, W);
  const auto floats = [](auto* at) { return reinterpret_cast<float*>(at); };
  const Index threads = std::max<Index>(1, pool.num_threads());
  const Index tasks = std::min(N, std::clamp<Index>(N * T * W / WORTH_A_THREAD, 1, threads));
  run_tasks(pool, tasks, tasks, [&](Index task) {
    run(sequences, floats(a.typed_data()), floats(c.typed_data()), floats(s->typed_data()), task * N / tasks,
        (task + 1) * N / tasks);
  });
  return ffi::Error::Success();
}

template <ffi::DataType TYPE>
auto bound() {
  return ffi::Ffi::Bind()
      .template Ctx<ffi::ThreadPool>()
      .template Arg<ffi::Buffer<TYPE>>()  // a
      .template Arg<ffi::Buffer<TYPE>>()  // c
      .template Ret<ffi::Buffer<TYPE>>()
      .template Attr<bool>("reverse")
      .template Attr<bool>("late");
}

}  // namespace
}  // namespace throughtime

#pragma GCC visibility push(default)

XLA_FFI_DEFINE_HANDLER_SYMBOL(throughtime_linear_real, throughtime::linear<xla::ffi::DataType::F32>,
                              throughtime::bound<xla::ffi::DataType::F32>());

XLA_FFI_DEFINE_HANDLER_SYMBOL(throughtime_linear_complex, throughtime::linear<xla::ffi::DataType::C64>,
                              throughtime::bound<xla::ffi::DataType::C64>());

#pragma GCC visibility pop
