// The foreign functions that XLA calls: they check what comes, cut it into tasks and run a kernel on each.
#include <algorithm>
#include <new>
#include <string>

#include "kernels.h"
#include "memory.h"
#include "threads.h"
#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

namespace throughtime {
namespace {

using Floats = ffi::Buffer<ffi::F32>;
using Flags = ffi::Buffer<ffi::PRED>;

constexpr Index ROWS_AT_ONCE = 32;         // of a batch, for which there is scratch
constexpr Index LEAST_OF_A_PART = 16;      // rows: whole vectors of any instructions, but for the last part
constexpr Index MANY_ROWS = 64;            // from here on a part has twice as many or more
constexpr Index MOST_PARTS = 8;            // each has sums of its own, which take memory and are added up at the end
constexpr Index WORTH_A_THREAD = 400'000;  // multiplications: about 10 us, what it takes to wake one

// The shapes as they came: M models, each with a batch of its own, and with weights of its own unless they are shared.
struct Problem {
  Index M;
  bool shared;
  Shape shape;
  const Kernel* kernel;
};

bool is(ffi::Span<const int64_t> dimensions, std::initializer_list<Index> expected) {
  return std::equal(dimensions.begin(), dimensions.end(), expected.begin(), expected.end());
}

// An optional operand comes with no elements where there is none.
template <class Buffer>
auto given(Buffer&& buffer) {
  return buffer.element_count() ? buffer.typed_data() : nullptr;
}

// What both ways share.
struct Operands {
  Floats w_x, w_h, b, b_h, xs, h, c;
  Flags mask;
};

ffi::Error wrong_shape(const char* what) {
  return ffi::Error::InvalidArgument(std::string("throughtime: the shape of ") + what + " does not fit");
}

ffi::ErrorOr<Problem> checked(const Operands& in, std::int32_t cell, std::int32_t activation, bool reverse) {
  const auto wrong = [](const char* what) { return ffi::Unexpected(wrong_shape(what)); };
  const auto xs = in.xs.dimensions(), h = in.h.dimensions();
  if (xs.size() != 4) return wrong("xs");
  if (h.size() != 3) return wrong("h");
  const Kernel* kernel = best_kernel(CellKind{cell}, Activation{activation});
  if (!kernel) return ffi::Unexpected(ffi::Error::InvalidArgument("throughtime: no kernel of this cell"));
  const Index M = xs[0], B = xs[1], T = xs[2], D = xs[3], H = h[2], G = kernel->gates;
  if (D == 0) return wrong("xs");
  if (!is(h, {M, B, H}) || H == 0) return wrong("h");
  const auto w_x = in.w_x.dimensions();
  const bool shared = w_x.size() == 3 && w_x[0] == 1;
  const Index W = shared ? 1 : M;
  if (!is(w_x, {W, G * H, D})) return wrong("w_x");
  if (!is(in.w_h.dimensions(), {W, G * H, H})) return wrong("w_h");
  if (!is(in.b.dimensions(), {W, G * H})) return wrong("b");
  if (!is(in.b_h.dimensions(), {W, kernel->inner_bias ? H : 0})) return wrong("b_h");
  if (!is(in.c.dimensions(), {M, B, kernel->memory ? H : 0})) return wrong("c");
  if (in.mask.element_count() && !is(in.mask.dimensions(), {M, B, T})) return wrong("mask");
  return Problem{M, shared, {B, T, D, H, reverse}, kernel};
}

template <class T>
T* offset(T* at, Index count) {
  return at ? at + count : nullptr;
}

Weights weights_of(const Operands& in, const Problem& problem, Index m) {
  const Index H = problem.shape.H, D = problem.shape.D, G = problem.kernel->gates;
  return {in.w_x.typed_data() + m * G * H * D, in.w_h.typed_data() + m * G * H * H, in.b.typed_data() + m * G * H,
          offset(given(in.b_h), m * H)};
}

Inputs inputs_of(const Operands& in, const Problem& problem, Index m) {
  const Shape& s = problem.shape;
  return {in.xs.typed_data() + m * s.B * s.T * s.D, in.h.typed_data() + m * s.B * s.H, offset(given(in.c), m * s.B * s.H),
          reinterpret_cast<const std::uint8_t*>(offset(given(in.mask), m * s.B * s.T))};
}

// How the rows of a batch are cut. The parts depend on the batch alone, and so do the sums' last digits: on any number of
// threads the numbers are the same. A task is a part, or two of the smallest, which are faster together; where there are
// many models, one of them with all of its parts. What is saved is cut as the tasks are: by nothing but the batch and the
// size of the pool, which are the same on the way back.
struct Cut {
  Index B, rows, parts, workers, together, tasks;

  Cut(const Problem& problem, ffi::ThreadPool& pool)
      : B(problem.shape.B), rows(B < MANY_ROWS ? LEAST_OF_A_PART : 2 * LEAST_OF_A_PART),
        parts(std::min(smallest(), MOST_PARTS)) {
    const Shape& s = problem.shape;
    const Index work = problem.M * B * s.T * (s.H + s.D + 1) * s.H * problem.kernel->gates;
    const Index threads = std::max<Index>(1, pool.num_threads());
    workers = std::clamp<Index>(work / WORTH_A_THREAD, 1, threads);
    together = rows == LEAST_OF_A_PART && (parts + 1) / 2 >= threads ? 2 : 1;
    tasks = (parts + together - 1) / together;
  }

  // Calls run(first, last) for a task's rows, a few at a time.
  template <class Run>
  void each(Index task, Run run) const {
    const Index end = begin(task + 1);
    for (Index first = begin(task); first < end; first += ROWS_AT_ONCE) run(first, std::min(first + ROWS_AT_ONCE, end));
  }

  // A task's sums, among those of all parts; each of two parts has its own.
  Sums sums(float* at, Index task, Index size) const {
    return {at + task * together * size, together > 1 ? rows : B, size};
  }

 private:
  Index smallest() const { return (B + rows - 1) / rows; }

  Index begin(Index task) const { return std::min(task * together * smallest() / parts * rows, B); }
};

// Does the work, which says whether it could: all that it may lack is memory, which must not be thrown into XLA.
template <class Work>
ffi::Error within_memory(Work work) {
  bool done = false;
  try {
    done = work();
  } catch (const std::bad_alloc&) {
  }
  Memory::trim();
  if (done) return ffi::Error::Success();
  return ffi::Error(ffi::ErrorCode::kResourceExhausted, "throughtime: there is not enough memory for the kernel");
}

ffi::Error forward(ffi::ThreadPool pool, Floats w_x, Floats w_h, Floats b, Floats b_h, Floats xs, Floats h, Floats c,
                   Flags mask, ffi::Result<Floats> hs, ffi::Result<Floats> h_last, ffi::Result<Floats> c_last,
                   ffi::Result<Floats> saved, std::int32_t cell, std::int32_t activation, bool reverse) {
  const Operands in{w_x, w_h, b, b_h, xs, h, c, mask};
  const auto found = checked(in, cell, activation, reverse);
  if (found.has_error()) return found.error();
  const Problem& problem = found.value();
  const Shape& s = problem.shape;
  const Kernel& kernel = *problem.kernel;
  const Index width = kernel.saved * padded(s.H);
  if (!is(hs->dimensions(), {problem.M, s.B, s.T, s.H})) return wrong_shape("hs");
  if (!is(h_last->dimensions(), {problem.M, s.B, s.H})) return wrong_shape("the last h");
  if (!is(c_last->dimensions(), {problem.M, s.B, kernel.memory ? s.H : 0})) return wrong_shape("the last c");
  const auto kept = saved->dimensions();  // nothing is where no way back is to come
  if (!is(kept, {problem.M, s.B, s.T, width}) && !is(kept, {problem.M, s.B, s.T, 0})) return wrong_shape("what is saved");
  const auto outputs_of = [&](Index m) -> Outputs {
    return {hs->typed_data() + m * s.B * s.T * s.H, h_last->typed_data() + m * s.B * s.H,
            offset(given(*c_last), m * s.B * s.H), offset(given(*saved), m * s.B * s.T * width)};
  };
  const Cut cut(problem, pool);
  const auto rows_of = [&](Index task, const float* packed, Index m) {
    cut.each(task, [&](Index first, Index last) {
      float* const scratch = Memory::scratch().at_least(kernel.scratch_forward(s, last - first));
      kernel.forward(s, packed, inputs_of(in, problem, m), outputs_of(m), first, last, scratch);
    });
  };
  const auto pack = [&](Index m) -> const float* {
    float* const packed = Memory::packed().at_least(kernel.packed_forward(s));
    kernel.pack_forward(s, weights_of(in, problem, m), packed);
    return packed;
  };
  return within_memory([&] {
    if (problem.M == 1) {
      const float* const packed = pack(0);
      return run_tasks(pool, cut.tasks, cut.workers, [&](Index task) { rows_of(task, packed, 0); });
    }
    const float* const of_all = problem.shared ? pack(0) : nullptr;
    return run_tasks(pool, problem.M, cut.workers, [&](Index m) {
      const float* const packed = of_all ? of_all : pack(m);
      for (Index task = 0; task < cut.tasks; ++task) rows_of(task, packed, m);
      Memory::trim(!of_all);
    });
  });
}

ffi::Error backward(ffi::ThreadPool pool, Floats w_x, Floats w_h, Floats b, Floats b_h, Floats xs, Floats h, Floats c,
                    Flags mask, Floats hs, Floats saved, Floats d_hs, Floats d_h_last, Floats d_c_last,
                    ffi::Result<Floats> d_w_x, ffi::Result<Floats> d_w_h, ffi::Result<Floats> d_b,
                    ffi::Result<Floats> d_b_h, ffi::Result<Floats> d_xs, ffi::Result<Floats> d_h,
                    ffi::Result<Floats> d_c, std::int32_t cell, std::int32_t activation, bool reverse) {
  const Operands in{w_x, w_h, b, b_h, xs, h, c, mask};
  const auto found = checked(in, cell, activation, reverse);
  if (found.has_error()) return found.error();
  const Problem& problem = found.value();
  const Shape& s = problem.shape;
  const Kernel& kernel = *problem.kernel;
  const Index width = kernel.saved * padded(s.H), G = kernel.gates;
  const Index M = problem.M, memory = kernel.memory ? s.H : 0;
  for (const Floats* one : {&hs, &d_hs})
    if (!is(one->dimensions(), {M, s.B, s.T, s.H})) return wrong_shape("hs");
  if (!is(saved.dimensions(), {M, s.B, s.T, width})) return wrong_shape("what was saved");
  if (!is(d_h_last.dimensions(), {M, s.B, s.H}) || !is(d_h->dimensions(), {M, s.B, s.H})) return wrong_shape("h");
  if (!is(d_c_last.dimensions(), {M, s.B, memory}) || !is(d_c->dimensions(), {M, s.B, memory})) return wrong_shape("c");
  if (!is(d_w_x->dimensions(), {M, G * s.H, s.D})) return wrong_shape("w_x");
  if (!is(d_w_h->dimensions(), {M, G * s.H, s.H})) return wrong_shape("w_h");
  if (!is(d_b->dimensions(), {M, G * s.H})) return wrong_shape("b");
  if (!is(d_b_h->dimensions(), {M, kernel.inner_bias ? s.H : 0})) return wrong_shape("b_h");
  const auto by_xs = d_xs->dimensions();  // none where nobody asks
  if (!is(by_xs, {M, s.B, s.T, s.D}) && !is(by_xs, {M, s.B, s.T, 0})) return wrong_shape("xs");
  const auto came_of = [&](Index m) -> Cotangents {
    return {hs.typed_data() + m * s.B * s.T * s.H, offset(given(saved), m * s.B * s.T * width),
            d_hs.typed_data() + m * s.B * s.T * s.H, d_h_last.typed_data() + m * s.B * s.H,
            offset(given(d_c_last), m * s.B * s.H)};
  };
  const auto gradients_of = [&](Index m) -> Gradients {
    return {offset(given(*d_xs), m * s.B * s.T * s.D), d_h->typed_data() + m * s.B * s.H,
            offset(given(*d_c), m * s.B * s.H)};
  };
  const Cut cut(problem, pool);
  const Index size = (kernel.sums(s) + 15) / 16 * 16;
  const auto rows_of = [&](Index task, const float* packed, Index m, const Sums& sums) {
    cut.each(task, [&](Index first, Index last) {
      float* const scratch = Memory::scratch().at_least(kernel.scratch_backward(s, last - first));
      kernel.backward(s, packed, inputs_of(in, problem, m), came_of(m), gradients_of(m), first, last, sums, scratch);
    });
  };
  const auto pack = [&](Index m) -> const float* {
    float* const packed = Memory::packed().at_least(kernel.packed_backward(s));
    kernel.pack_backward(s, weights_of(in, problem, m), packed);
    return packed;
  };
  const Index parts = std::max<Index>(cut.parts, 1);
  const auto cleared_sums = [&] {
    float* const sums = Memory::sums().at_least(size * parts);
    std::fill_n(sums, size * parts, 0.0f);
    return sums;
  };
  const auto unpack = [&](float* sums, Index m) {
    for (Index number = 1; number < parts; ++number)
      for (Index i = 0; i < size; ++i) sums[i] += sums[number * size + i];
    kernel.unpack(s, sums,
                  {d_w_x->typed_data() + m * G * s.H * s.D, d_w_h->typed_data() + m * G * s.H * s.H,
                   d_b->typed_data() + m * G * s.H, offset(given(*d_b_h), m * s.H)});
  };
  return within_memory([&] {
    if (problem.M == 1) {
      const float* const packed = pack(0);
      float* const sums = cleared_sums();
      const auto one = [&](Index task) { rows_of(task, packed, 0, cut.sums(sums, task, size)); };
      if (!run_tasks(pool, cut.tasks, cut.workers, one)) return false;
      unpack(sums, 0);
      return true;
    }
    const float* const of_all = problem.shared ? pack(0) : nullptr;
    return run_tasks(pool, problem.M, cut.workers, [&](Index m) {
      const float* const packed = of_all ? of_all : pack(m);
      float* const sums = cleared_sums();
      for (Index task = 0; task < cut.tasks; ++task) rows_of(task, packed, m, cut.sums(sums, task, size));
      unpack(sums, m);
      Memory::trim(!of_all);
    });
  });
}

auto bound_operands() {
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

}  // namespace
}  // namespace throughtime

// What Python finds in the library.
#pragma GCC visibility push(default)

extern "C" const char* throughtime_instruction_set() { return throughtime::instruction_set(); }

XLA_FFI_DEFINE_HANDLER_SYMBOL(throughtime_forward, throughtime::forward,
                              throughtime::bound_operands()
                                  .Ret<throughtime::Floats>()  // hs
                                  .Ret<throughtime::Floats>()  // h_last
                                  .Ret<throughtime::Floats>()  // c_last
                                  .Ret<throughtime::Floats>()  // saved
                                  .Attr<std::int32_t>("cell")
                                  .Attr<std::int32_t>("activation")
                                  .Attr<bool>("reverse"));

XLA_FFI_DEFINE_HANDLER_SYMBOL(throughtime_backward, throughtime::backward,
                              throughtime::bound_operands()
                                  .Arg<throughtime::Floats>()  // hs
                                  .Arg<throughtime::Floats>()  // saved
                                  .Arg<throughtime::Floats>()  // d_hs
                                  .Arg<throughtime::Floats>()  // d_h_last
                                  .Arg<throughtime::Floats>()  // d_c_last
                                  .Ret<throughtime::Floats>()  // d_w_x
                                  .Ret<throughtime::Floats>()  // d_w_h
                                  .Ret<throughtime::Floats>()  // d_b
                                  .Ret<throughtime::Floats>()  // d_b_h
                                  .Ret<throughtime::Floats>()  // d_xs
                                  .Ret<throughtime::Floats>()  // d_h
                                  .Ret<throughtime::Floats>()  // d_c
                                  .Attr<std::int32_t>("cell")
                                  .Attr<std::int32_t>("activation")
                                  .Attr<bool>("reverse"));

#pragma GCC visibility pop
