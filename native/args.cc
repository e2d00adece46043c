#include "args.h"

#include <algorithm>
#include <initializer_list>
#include <string>

namespace throughtime {
namespace {

using Dimensions = ffi::Span<const int64_t>;

// A shape of at most four axes, without heap memory: every call is checked.
struct Expected {
  Index sizes[4] = {};
  std::size_t rank;

  Expected(std::initializer_list<Index> axes) : rank(axes.size()) { std::copy(axes.begin(), axes.end(), sizes); }
};

enum Presence { REQUIRED, OPTIONAL };  // an optional array may have 0 for its last size

struct ShapeRow {
  const char* name;
  Dimensions actual;
  Expected expected;
  Presence presence = REQUIRED;
};

bool has_shape(Dimensions actual, const Expected& expected) {
  return std::equal(actual.begin(), actual.end(), expected.sizes, expected.sizes + expected.rank);
}

Expected without_elements(Expected shape) {
  shape.sizes[shape.rank - 1] = 0;
  return shape;
}

bool fits(const ShapeRow& row) {
  return has_shape(row.actual, row.expected) ||
         (row.presence == OPTIONAL && has_shape(row.actual, without_elements(row.expected)));
}

std::string text(const Index* sizes, std::size_t rank) {
  std::string listed;
  for (std::size_t axis = 0; axis < rank; ++axis) listed += (axis ? ", " : "") + std::to_string(sizes[axis]);
  return "(" + listed + (rank == 1 ? ",)" : ")");
}

std::string text(const Expected& shape) { return text(shape.sizes, shape.rank); }

ffi::Error wrong_shape(const char* name, Dimensions actual, const std::string& expected) {
  return ffi::Error::InvalidArgument(std::string("throughtime: the shape of ") + name + " is " +
                                     text(actual.begin(), actual.size()) + ", expected " + expected);
}

ffi::Error check(std::initializer_list<ShapeRow> table) {
  for (const ShapeRow& row : table) {
    if (fits(row)) continue;
    std::string expected = text(row.expected);
    if (row.presence == OPTIONAL) expected += " or " + text(without_elements(row.expected));
    return wrong_shape(row.name, row.actual, expected);
  }
  return ffi::Error::Success();
}

ffi::Error check_operands(const Operands& in, const Problem& problem) {
  const auto [B, T, D, H, reverse, ordered] = problem.shape;
  const Index M = problem.M, W = problem.shared ? 1 : M, G = problem.kernel->gates;
  return check({
      {"h", in.h.dimensions(), {M, B, H}},
      {"w_x", in.w_x.dimensions(), {W, G * H, D}},
      {"w_h", in.w_h.dimensions(), {W, G * H, H}},
      {"b", in.b.dimensions(), {W, G * H}},
      {"b_h", in.b_h.dimensions(), {W, problem.kernel->has_inner_bias ? H : 0}},
      {"c", in.c.dimensions(), {M, B, problem.kernel->has_c ? H : 0}},
      {"mask", in.mask.dimensions(), {M, B, T}, OPTIONAL},
  });
}

template <class Buffer>
auto data_or_null(const Buffer& buffer, Index m) -> decltype(buffer.typed_data()) {
  const Index count = buffer.element_count();
  return count ? buffer.typed_data() + m * (count / buffer.dimensions()[0]) : nullptr;
}

Inputs inputs_of(const Operands& in, const Problem& problem, Index m) {
  return {data_or_null(in.xs, m), data_or_null(in.h, m), data_or_null(in.c, m),
          reinterpret_cast<const std::uint8_t*>(data_or_null(in.mask, m)),
          problem.order ? problem.order + m * problem.shape.B : nullptr};
}

}  // namespace

template <class Args>
ffi::ErrorOr<Problem> problem_of(const Args& args) {
  const auto xs = args.in.xs.dimensions(), h = args.in.h.dimensions(), w_x = args.in.w_x.dimensions();
  if (xs.size() != 4 || xs[3] == 0) return ffi::Unexpected(wrong_shape("xs", xs, "(M, B, T, D) with D > 0"));
  if (h.size() != 3 || h[2] == 0) return ffi::Unexpected(wrong_shape("h", h, "(M, B, H) with H > 0"));
  const Kernel* const kernel = best_kernel(CellKind{args.cell}, Activation{args.activation});
  if (!kernel) return ffi::Unexpected(ffi::Error::InvalidArgument("throughtime: no kernel of this cell"));
  const bool shared = w_x.size() == 3 && w_x[0] == 1;
  return Problem{xs[0], shared, {xs[1], xs[2], xs[3], h[2], args.reverse, false}, kernel};
}

template ffi::ErrorOr<Problem> problem_of(const ForwardArgs&);
template ffi::ErrorOr<Problem> problem_of(const BackwardArgs&);

ffi::Error check_shapes(const ForwardArgs& args, const Problem& problem) {
  if (ffi::Error error = check_operands(args.in, problem); error.failure()) return error;
  const auto [B, T, D, H, reverse, ordered] = problem.shape;
  const Index M = problem.M, Hc = problem.kernel->has_c ? H : 0;
  const Index width = problem.kernel->residual_blocks * residual_block(H);
  return check({
      {"hs", args.hs.dimensions(), {M, B, T, H}},
      {"h_last", args.h_last.dimensions(), {M, B, H}},
      {"c_last", args.c_last.dimensions(), {M, B, Hc}},
      {"residuals", args.residuals.dimensions(), {M, B, T, width}, OPTIONAL},
  });
}

ffi::Error check_shapes(const BackwardArgs& args, const Problem& problem) {
  if (ffi::Error error = check_operands(args.in, problem); error.failure()) return error;
  const auto [B, T, D, H, reverse, ordered] = problem.shape;
  const Index M = problem.M, G = problem.kernel->gates, Hc = problem.kernel->has_c ? H : 0;
  const Index width = problem.kernel->residual_blocks * residual_block(H);
  return check({
      {"hs", args.hs.dimensions(), {M, B, T, H}},
      {"residuals", args.residuals.dimensions(), {M, B, T, width}},
      {"d_hs", args.d_hs.dimensions(), {M, B, T, H}},
      {"d_h_last", args.d_h_last.dimensions(), {M, B, H}},
      {"d_c_last", args.d_c_last.dimensions(), {M, B, Hc}},
      {"d_w_x", args.d_w_x.dimensions(), {M, G * H, D}},
      {"d_w_h", args.d_w_h.dimensions(), {M, G * H, H}},
      {"d_b", args.d_b.dimensions(), {M, G * H}},
      {"d_b_h", args.d_b_h.dimensions(), {M, problem.kernel->has_inner_bias ? H : 0}},
      {"d_xs", args.d_xs.dimensions(), {M, B, T, D}, OPTIONAL},
      {"d_h", args.d_h.dimensions(), {M, B, H}},
      {"d_c", args.d_c.dimensions(), {M, B, Hc}},
  });
}

Weights weights_of(const Operands& in, const Problem& problem, Index m) {
  if (problem.shared) m = 0;
  return {data_or_null(in.w_x, m), data_or_null(in.w_h, m), data_or_null(in.b, m), data_or_null(in.b_h, m)};
}

WeightGradients weight_gradients_of(const BackwardArgs& args, Index m) {
  return {data_or_null(args.d_w_x, m), data_or_null(args.d_w_h, m), data_or_null(args.d_b, m),
          data_or_null(args.d_b_h, m)};
}

ForwardPass pass_of(const ForwardArgs& args, const Problem& problem, Index m, const float* packed) {
  return {problem.shape,
          packed,
          inputs_of(args.in, problem, m),
          {data_or_null(args.hs, m), data_or_null(args.h_last, m), data_or_null(args.c_last, m),
           data_or_null(args.residuals, m)}};
}

BackwardPass pass_of(const BackwardArgs& args, const Problem& problem, Index m, const float* packed) {
  return {problem.shape,
          packed,
          inputs_of(args.in, problem, m),
          {data_or_null(args.hs, m), data_or_null(args.residuals, m)},
          {data_or_null(args.d_hs, m), data_or_null(args.d_h_last, m), data_or_null(args.d_c_last, m)},
          {data_or_null(args.d_xs, m), data_or_null(args.d_h, m), data_or_null(args.d_c, m)}};
}

}  // namespace throughtime
