// The passes of any cell in cells.h through time. Sequences run with one in each lane as far as they fill whole
// vectors; the rest run with a unit in each lane, and so do all of a batch that is ordered by length. A few sequences
// at a time run through all of their steps, with the weights in cache.
#ifndef THROUGHTIME_THROUGH_TIME_H
#define THROUGHTIME_THROUGH_TIME_H

#include "lane_per_sequence.h"
#include "lane_per_unit.h"
#include "packed_weights.h"
#include "weight_sums.h"

namespace throughtime::THROUGHTIME_ISA {

template <class Cell>
struct ThroughTime {
  using PerSequence = LanePerSequence<Cell>;
  using PerUnit = LanePerUnit<Cell>;
  using Tiles = PackedTiles<Cell>;
  using Panels = PackedPanels<Cell>;

  // Returns if some of `rows` sequences have one in each lane.
  static bool fills_vectors(const Shape& shape, Index rows) { return PerUnit::rows_of(shape, rows) < rows; }

  // The offset of the weights for a unit in each lane: they follow those for a sequence in each lane, if any.
  static Index unit_weights_forward(const Shape& shape) {
    return fills_vectors(shape, shape.B) ? round_up(Tiles::forward_size(shape), 16) : 0;
  }

  static Index packed_forward_size(const Shape& shape) {
    return unit_weights_forward(shape) + (PerUnit::rows_of(shape, shape.B) ? Panels::forward_size(shape) : 0);
  }

  static void pack_forward(const Shape& shape, const Weights& weights, float* packed) {
    if (fills_vectors(shape, shape.B)) Tiles::pack_forward(shape, weights, packed);
    if (const Index rows = PerUnit::rows_of(shape, shape.B))
      Panels::pack_forward(shape, weights, rows, packed + unit_weights_forward(shape));
  }

  static Index forward_scratch_size(const Shape& shape, Index rows) {
    const Index per_sequence = fills_vectors(shape, rows) ? PerSequence::forward_scratch_size(shape) : 0;
    const Index per_unit = PerUnit::forward_scratch_size(shape, PerUnit::rows_together(PerUnit::rows_of(shape, rows)));
    return per_sequence < per_unit ? per_unit : per_sequence;
  }

  static void forward(const ForwardPass& pass, Index first, Index last, float* scratch) {
    const Index units = last - PerUnit::rows_of(pass.shape, last - first);
    for (Index rows; (rows = PerSequence::rows_together(units - first)); first += rows)
      typename PerSequence::Forward(pass, pass.packed, first, rows, scratch).run();
    const float* const packed = pass.packed + unit_weights_forward(pass.shape);
    for (Index rows; (rows = PerUnit::rows_together(last - first)); first += rows)
      typename PerUnit::Forward(pass, packed, first, rows, scratch).run();
  }

  static Index unit_weights_backward(const Shape& shape) {
    return fills_vectors(shape, shape.B) ? round_up(Tiles::backward_size(shape), 16) : 0;
  }

  static Index packed_backward_size(const Shape& shape) {
    return unit_weights_backward(shape) + (PerUnit::rows_of(shape, shape.B) ? Panels::backward_size(shape) : 0);
  }

  static void pack_backward(const Shape& shape, const Weights& weights, float* packed) {
    if (fills_vectors(shape, shape.B)) Tiles::pack_backward(shape, weights, packed);
    if (const Index rows = PerUnit::rows_of(shape, shape.B))
      Panels::pack_backward(shape, weights, rows, packed + unit_weights_backward(shape));
  }

  static Index backward_scratch_size(const Shape& shape, Index rows) {
    const Index per_sequence = fills_vectors(shape, rows) ? PerSequence::backward_scratch_size(shape) : 0;
    const Index per_unit = PerUnit::backward_scratch_size(shape, PerUnit::rows_together(PerUnit::rows_of(shape, rows)));
    return per_sequence < per_unit ? per_unit : per_sequence;
  }

  static void backward(const BackwardPass& pass, Index first, Index last, const Sums& sums, float* scratch) {
    const Index begin = first, units = last - PerUnit::rows_of(pass.shape, last - first);
    const auto sums_of_first = [&] { return sums.data + (first - begin) / sums.rows * sums.stride; };
    for (Index rows; (rows = PerSequence::rows_together(units - first)); first += rows) {
      const Sums rest = {sums_of_first(), sums.rows, sums.stride};
      typename PerSequence::Backward(pass, pass.packed, first, rows, rest, scratch).run();
    }
    const float* const packed = pass.packed + unit_weights_backward(pass.shape);
    for (Index rows; (rows = PerUnit::rows_together(last - first)); first += rows)
      typename PerUnit::Backward(pass, packed, first, rows, sums_of_first(), scratch).run();
  }

  static constexpr Kernel KERNEL = {
      Cell::GATES,          Cell::RESIDUALS, Cell::HAS_C,           Cell::SOURCES[0].b_h >= 0,
      packed_forward_size,  pack_forward,    forward_scratch_size,  forward,
      packed_backward_size, pack_backward,   backward_scratch_size, backward,
      WeightSums<Cell>::size, WeightSums<Cell>::unpack,
  };
};

}  // namespace throughtime::THROUGHTIME_ISA

#endif
