// The loops over time, forward and backward, of any cell in cells.h: by rows as far as they fill whole vectors, and the
// rest by units.
//
// A sequence's rows depend on no other's, so a few at a time go through all of their steps, with the weights in the cache.
#ifndef THROUGHTIME_THROUGH_TIME_H
#define THROUGHTIME_THROUGH_TIME_H

#include "by_rows.h"
#include "by_units.h"

namespace throughtime::THROUGHTIME_ISA {

template <class Cell>
struct ThroughTime {
  using Rows = ByRows<Cell>;
  using Units = ByUnits<Cell>;

  // What is packed by rows stands before what is packed by units; either is there only if it is read.
  static Index rows_forward(const Shape& shape) { return shape.B < LANES ? 0 : up(Rows::packed_forward(shape), 16); }
  static Index rows_backward(const Shape& shape) { return shape.B < LANES ? 0 : up(Rows::packed_backward(shape), 16); }

  static Index packed_forward(const Shape& shape) {
    return rows_forward(shape) + (shape.B % LANES ? Units::packed_forward(shape) : 0);
  }

  static void pack_forward(const Shape& shape, const Weights& weights, float* packed) {
    if (shape.B >= LANES) Rows::pack_forward(shape, weights, packed);
    if (shape.B % LANES) Units::pack_forward(shape, weights, shape.B % LANES, packed + rows_forward(shape));
  }

  static Index scratch_forward(const Shape& shape, Index rows) {
    const Index by_rows = rows < LANES ? 0 : Rows::scratch_forward(shape);
    const Index by_units = rows % LANES ? Units::scratch_forward(shape, rows % LANES) : 0;
    return by_rows < by_units ? by_units : by_rows;
  }

  static void forward(const Shape& shape, const float* packed, const Inputs& in, const Outputs& out, Index first,
                      Index last, float* scratch) {
    for (Index rows; (rows = Rows::together(last - first)); first += rows)
      Rows(shape, rows).forward(packed, in, out, first, scratch);
    if (first < last) Units::forward(shape, packed + rows_forward(shape), in, out, first, last, scratch);
  }

  static Index packed_backward(const Shape& shape) {
    return rows_backward(shape) + (shape.B % LANES ? Units::packed_backward(shape) : 0);
  }

  static void pack_backward(const Shape& shape, const Weights& weights, float* packed) {
    if (shape.B >= LANES) Rows::pack_backward(shape, weights, packed);
    if (shape.B % LANES) Units::pack_backward(shape, weights, shape.B % LANES, packed + rows_backward(shape));
  }

  static Index scratch_backward(const Shape& shape, Index rows) {
    const Index by_rows = rows < LANES ? 0 : Rows::scratch_backward(shape);
    const Index by_units = rows % LANES ? Units::scratch_backward(shape, rows % LANES) : 0;
    return by_rows < by_units ? by_units : by_rows;
  }

  static void backward(const Shape& shape, const float* packed, const Inputs& in, const Cotangents& came,
                       const Gradients& out, Index first, Index last, const Sums& sums, float* scratch) {
    const Index begin = first;
    const auto sums_of_first = [&] { return sums.at + (first - begin) / sums.rows * sums.size; };
    for (Index rows; (rows = Rows::together(last - first)); first += rows)
      Rows(shape, rows).backward(packed, in, came, out, first, {sums_of_first(), sums.rows, sums.size}, scratch);
    if (first < last)
      Units::backward(shape, packed + rows_backward(shape), in, came, out, first, last, sums_of_first(), scratch);
  }

  static constexpr Kernel KERNEL = {
      Cell::GATES, Cell::SAVED, Cell::MEMORY, Cell::SOURCES[0].b_h >= 0, packed_forward, pack_forward,
      scratch_forward, forward, packed_backward, pack_backward, scratch_backward, Units::sums, backward, Units::unpack,
  };
};

}  // namespace throughtime::THROUGHTIME_ISA

#endif
