// Vectors of THROUGHTIME_LANES floats, in the language of GCC and Clang, and the functions of a cell on them.
//
// Everything here is compiled once for each instruction set, into a namespace of that name. No function of the
// standard library's templates may be used below: the linker would keep one copy for all, which not every processor can
// run.
#ifndef THROUGHTIME_SIMD_H
#define THROUGHTIME_SIMD_H

#include <cstdint>
#include <cstring>
#include <utility>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

// Before a loop of a constant number of turns over what is to lie in registers: GCC decides where an array lies before it
// comes to unroll an outermost loop by itself.
#if defined(__clang__)
#define THROUGHTIME_UNROLLED _Pragma("unroll")
#else
#define THROUGHTIME_UNROLLED _Pragma("GCC unroll 32")
#endif

namespace throughtime::THROUGHTIME_ISA {

using Index = std::int64_t;

constexpr Index LANES = THROUGHTIME_LANES;

typedef float Vector __attribute__((vector_size(4 * THROUGHTIME_LANES)));
typedef std::int32_t Bits __attribute__((vector_size(4 * THROUGHTIME_LANES)));
typedef float Unaligned __attribute__((vector_size(4 * THROUGHTIME_LANES), aligned(4), may_alias));

inline Vector load(const float* at) { return *reinterpret_cast<const Unaligned*>(at); }
inline void store(float* at, Vector x) { *reinterpret_cast<Unaligned*>(at) = x; }
inline Vector all(float x) { return x - Vector{}; }  // adding 0 would change -0, and so cost an addition

inline Index up(Index size, Index to) { return (size + to - 1) / to * to; }

// x, or the nearer end of [-most, most]; not a number stays so.
inline Vector within(Vector x, float most) {
  const Vector top = all(most), bottom = all(-most);
#if THROUGHTIME_LANES == 16 && defined(__AVX512F__)
  return _mm512_maskz_max_ps(-1, bottom, _mm512_maskz_min_ps(-1, top, x));  // GCC makes four operations of what is below
#else
  x = top < x ? top : x;
  return bottom > x ? bottom : x;
#endif
}

// Which lanes are not 0, a bit for each; what is not a number is not 0.
inline std::uint32_t not_zero(Vector x) {
#if THROUGHTIME_LANES == 16 && defined(__AVX512F__)
  return _mm512_cmp_ps_mask(x, Vector{}, _CMP_NEQ_UQ);
#elif THROUGHTIME_LANES == 8 && defined(__AVX__)
  return _mm256_movemask_ps(_mm256_cmp_ps(x, Vector{}, _CMP_NEQ_UQ));
#elif THROUGHTIME_LANES == 4 && defined(__SSE2__)
  return _mm_movemask_ps(_mm_cmpneq_ps(x, Vector{}));
#else
  std::uint32_t bits = 0;
  for (Index lane = 0; lane < LANES; ++lane) bits |= std::uint32_t{x[lane] != 0.0f} << lane;
  return bits;
#endif
}

// e^x = scale * (1 + rest), with scale a power of two, for |x| <= 87. The polynomial is (e^r - 1 - r) / r^2 at
// |r| <= ln(2) / 2, of the least largest error of e^r - 1: 1.4e-8 of it.
struct Exponential {
  Vector scale, rest;
};

inline Exponential exponential(Vector x) {
  const Vector magic = all(12582912.0f);  // 1.5 * 2^23: what is added to it is rounded to a whole number
  const Vector shifted = x * all(1.44269504f) + magic;
  const Vector whole = shifted - magic;
  const Vector r = (x - whole * all(0.693359375f)) + whole * all(2.12194440e-4f);  // ln 2 in two parts
  Vector q = all(1.394645e-3f);
  q = q * r + all(8.366584e-3f);
  q = q * r + all(4.166628e-2f);
  q = q * r + all(1.6666543e-1f);
  q = q * r + all(0.5f);
  const Vector rest = r + r * r * q;
  Bits bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 127) << 23;
  Vector scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return {scale, rest};
}

inline Vector expm1(Vector x) {
  const Exponential e = exponential(within(x, 87.0f));
  return e.scale * e.rest + (e.scale - 1.0f);
}

inline Vector sigmoid(Vector x) {
  const Exponential e = exponential(within(-x, 87.0f));
  return 1.0f / ((1.0f + e.scale) + e.scale * e.rest);
}

// e^2x - 1 over e^2x + 1, the former with every digit that x has near zero. At 18 it is 1 to the last bit.
inline Vector tanh(Vector x) {
  const Exponential e = exponential(2.0f * within(x, 18.0f));
  const Vector less_one = e.scale * e.rest + (e.scale - 1.0f);
  return less_one / (less_one + 2.0f);
}

// Of the squares of D rows and columns that lines (2 D of them, LANES long) are cut into, those across the diagonal
// change places.
template <Index D, Index... J>
inline void exchange(Vector* lines, std::integer_sequence<Index, J...>) {
  THROUGHTIME_UNROLLED for (Index i = 0; i < LANES; ++i) {
    if (i & D) continue;
    const Vector a = lines[i], b = lines[i + D];
#if defined(__clang__)
    lines[i] = __builtin_shufflevector(a, b, (J & D ? J - D + LANES : J)...);
    lines[i + D] = __builtin_shufflevector(a, b, (J & D ? J + LANES : J + D)...);
#else
    lines[i] = __builtin_shuffle(a, b, Bits{(J & D ? J - D + LANES : J)...});
    lines[i + D] = __builtin_shuffle(a, b, Bits{(J & D ? J + LANES : J + D)...});
#endif
  }
  if constexpr (D > 1) exchange<D / 2>(lines, std::integer_sequence<Index, J...>{});
}

// Writes the columns of a square of LANES rows, `row` apart, as rows, `column` apart.
inline void transpose(const float* from, Index row, float* to, Index column) {
  Vector lines[LANES];
  THROUGHTIME_UNROLLED for (Index i = 0; i < LANES; ++i) lines[i] = load(from + i * row);
  exchange<LANES / 2>(lines, std::make_integer_sequence<Index, LANES>{});
  THROUGHTIME_UNROLLED for (Index i = 0; i < LANES; ++i) store(to + i * column, lines[i]);
}

// Writes columns as rows: to[j * column + i] = from[i * row + j]. A last square that does not fit overlaps the one before.
inline void transposed(const float* from, Index row, Index rows, Index columns, float* to, Index column) {
  if (rows < LANES || columns < LANES) {
    for (Index j = 0; j < columns; ++j)
      for (Index i = 0; i < rows; ++i) to[j * column + i] = from[i * row + j];
    return;
  }
  for (Index first = 0; first < rows; first += LANES)
    for (Index start = 0; start < columns; start += LANES) {
      const Index i = first < rows - LANES ? first : rows - LANES, j = start < columns - LANES ? start : columns - LANES;
      transpose(from + i * row + j, row, to + j * column + i, column);
    }
}

}  // namespace throughtime::THROUGHTIME_ISA

#endif
