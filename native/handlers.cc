// The foreign functions that XLA calls.
#include "args.h"
#include "kernels.h"
#include "passes.h"
#include "xla/ffi/api/ffi.h"

namespace throughtime {
namespace {

template <class Args>
ffi::Error run(const Args& args, ffi::ThreadPool& pool) {
  const auto problem = problem_of(args);
  if (problem.has_error()) return problem.error();
  if (ffi::Error error = check_shapes(args, *problem); error.failure()) return error;
  return run_passes(args, *problem, pool);
}

template <class Value>
Value value_of(Value value) {
  return value;
}

template <class Value>
Value value_of(ffi::Result<Value> result) {
  return *result;
}

// XLA passes every operand, result and attribute as a separate parameter; `rest` are the members of Args after `in`.
template <class Args>
constexpr auto HANDLER = [](ffi::ThreadPool pool, Floats w_x, Floats w_h, Floats b, Floats b_h, Floats xs, Floats h,
                            Floats c, Flags mask, auto... rest) -> ffi::Error {
  return run(Args{{w_x, w_h, b, b_h, xs, h, c, mask}, value_of(rest)...}, pool);
};

auto bind_operands() {
  return ffi::Ffi::Bind()
      .Ctx<ffi::ThreadPool>()
      .Arg<Floats>()   // w_x
      .Arg<Floats>()   // w_h
      .Arg<Floats>()   // b
      .Arg<Floats>()   // b_h
      .Arg<Floats>()   // xs
      .Arg<Floats>()   // h
      .Arg<Floats>()   // c
      .Arg<Flags>();   // mask
}

template <class Binding>
auto bind_attributes(Binding binding) {
  return std::move(binding)
      .template Attr<std::int32_t>("cell")
      .template Attr<std::int32_t>("activation")
      .template Attr<bool>("reverse");
}

auto bind_forward() {
  return bind_attributes(bind_operands()
                             .Ret<Floats>()    // hs
                             .Ret<Floats>()    // h_last
                             .Ret<Floats>()    // c_last
                             .Ret<Floats>());  // residuals
}

auto bind_backward() {
  return bind_attributes(bind_operands()
                             .Arg<Floats>()    // hs
                             .Arg<Floats>()    // residuals
                             .Arg<Floats>()    // d_hs
                             .Arg<Floats>()    // d_h_last
                             .Arg<Floats>()    // d_c_last
                             .Ret<Floats>()    // d_w_x
                             .Ret<Floats>()    // d_w_h
                             .Ret<Floats>()    // d_b
                             .Ret<Floats>()    // d_b_h
                             .Ret<Floats>()    // d_xs
                             .Ret<Floats>()    // d_h
                             .Ret<Floats>());  // d_c
}

}  // namespace
}  // namespace throughtime

// Python finds these symbols with ctypes.
#pragma GCC visibility push(default)

extern "C" const char* throughtime_instruction_set() { return throughtime::instruction_set(); }

XLA_FFI_DEFINE_HANDLER_SYMBOL(throughtime_forward, throughtime::HANDLER<throughtime::ForwardArgs>,
                              throughtime::bind_forward());

XLA_FFI_DEFINE_HANDLER_SYMBOL(throughtime_backward, throughtime::HANDLER<throughtime::BackwardArgs>,
                              throughtime::bind_backward());

#pragma GCC visibility pop
