// The foreign functions of cells that are linear in their state.
#include <algorithm>

#include "kernels.h"
#include "threads.h"
#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

namespace throughtime {
namespace {

constexpr Index FLOATS_PER_THREAD = 200'000;  // about 20 us

template <ffi::DataType TYPE>
ffi::Error linear(ffi::ThreadPool pool, ffi::Buffer<TYPE> a, ffi::Buffer<TYPE> c, ffi::Result<ffi::Buffer<TYPE>> s,
                  bool reverse, bool late) {
  const auto shape = c.dimensions();
  if (shape.size() < 2 || !(a.dimensions() == shape) || !(s->dimensions() == shape))
    return ffi::Error::InvalidArgument(
        "throughtime: the shapes of a, c and the states do not fit, expected equal shapes (..., T, H)");
  constexpr bool COMPLEX = TYPE == ffi::DataType::C64;
  const Index T = shape[shape.size() - 2], width = shape[shape.size() - 1], W = COMPLEX ? 2 * width : width;
  Index N = 1;
  for (std::size_t i = 0; i + 2 < shape.size(); ++i) N *= shape[i];
  const Sequences sequences{T, W, reverse, late};
  const Linear run = best_linear(COMPLEX, W);
  const auto floats = [](auto& buffer) { return reinterpret_cast<float*>(buffer.typed_data()); };
  const Index threads = std::max<Index>(1, pool.num_threads());
  const Index tasks = std::min(N, std::clamp<Index>(N * T * W / FLOATS_PER_THREAD, 1, threads));
  run_tasks(pool, tasks, tasks, [&](Index task) {
    run(sequences, floats(a), floats(c), floats(*s), task * N / tasks, (task + 1) * N / tasks);
  });
  return ffi::Error::Success();
}

template <ffi::DataType TYPE>
auto bind_linear() {
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
                              throughtime::bind_linear<xla::ffi::DataType::F32>());

XLA_FFI_DEFINE_HANDLER_SYMBOL(throughtime_linear_complex, throughtime::linear<xla::ffi::DataType::C64>,
                              throughtime::bind_linear<xla::ffi::DataType::C64>());

#pragma GCC visibility pop
