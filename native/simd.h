// Vectors of THROUGHTIME_LANES floats by the extensions of GCC and Clang, and elementwise functions of cells.
//
// This code is compiled once for each instruction set, into a namespace of that name. It must not call templates of the
// standard library: the linker would keep one copy of each for all, which not every processor can run.
#ifndef THROUGHTIME_SIMD_H
#define THROUGHTIME_SIMD_H

#include <cstdint>
#include <cstring>
#include <utility>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

// For loops of constant length over arrays that must stay in registers: GCC decides where an array is stored before it
// unrolls an outermost loop by itself.
#if defined(__clang__)
#define THROUGHTIME_UNROLLED _Pragma("unroll")
#else
#define THROUGHTIME_UNROLLED _Pragma("GCC unroll 32")
#endif

// GCC's choice of what to inline depends on the number of callers. In the products it changes the speed by several
// percent, so there it is stated.
#define THROUGHTIME_INLINE __attribute__((always_inline)) inline
#define THROUGHTIME_NOINLINE __attribute__((noinline))

namespace throughtime::THROUGHTIME_ISA {

using Index = std::int64_t;

constexpr Index LANES = THROUGHTIME_LANES;

typedef float Vector __attribute__((vector_size(4 * THROUGHTIME_LANES)));
typedef std::int32_t Bits __attribute__((vector_size(4 * THROUGHTIME_LANES)));
typedef float Unaligned __attribute__((vector_size(4 * THROUGHTIME_LANES), aligned(4), may_alias));

inline Vector load(const float* from) { return *reinterpret_cast<const Unaligned*>(from); }
inline void store(float* to, Vector x) { *reinterpret_cast<Unaligned*>(to) = x; }

// Asks for `count` floats that are read or written in some microseconds, into the second-level cache.
inline void prefetch([[maybe_unused]] const float* from, [[maybe_unused]] Index count) {
#if !defined(__wasm__)  // which has no instruction for it
  for (Index j = 0; j < count; j += 16) {
    __builtin_prefetch(from + j, 0, 2);
    asm volatile("");  // GCC removes loops that only prefetch
  }
#endif
}

inline Vector broadcast(float x) { return x - Vector{}; }  // x + 0 would turn -0 into 0, so it would not be free

inline Index round_up(Index size, Index multiple) { return (size + multiple - 1) / multiple * multiple; }

// Clamps x to [-limit, limit]; NaN stays NaN.
inline Vector clamp(Vector x, float limit) {
  const Vector top = broadcast(limit), bottom = broadcast(-limit);
#if THROUGHTIME_LANES == 16 && defined(__AVX512F__)
  // GCC needs four instructions for the code below.
  return _mm512_maskz_max_ps(-1, bottom, _mm512_maskz_min_ps(-1, top, x));
#else
  x = top < x ? top : x;
  return bottom > x ? bottom : x;
#endif
}

// Returns a bit for each lane: 1 if it is not 0. NaN is not 0.
inline std::uint32_t nonzero_lanes(Vector x) {
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

// e^x = scale * (1 + rest) for |x| <= 87; scale is a power of two. The polynomial approximates (e^r - 1 - r) / r^2 for
// |r| <= ln(2) / 2 with the smallest maximal relative error of e^r - 1, 1.4e-8.
struct Exponential {
  Vector scale, rest;
};

inline Exponential exponential(Vector x) {
  const Vector magic = broadcast(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
  const Vector shifted = x * broadcast(1.44269504f) + magic;
  const Vector rounded = shifted - magic;
  const Vector r = (x - rounded * broadcast(0.693359375f)) + rounded * broadcast(2.12194440e-4f);  // ln 2 in two parts
  Vector q = broadcast(1.394645e-3f);
  q = q * r + broadcast(8.366584e-3f);
  q = q * r + broadcast(4.166628e-2f);
  q = q * r + broadcast(1.6666543e-1f);
  q = q * r + broadcast(0.5f);
  const Vector rest = r + r * r * q;
  Bits bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 127) << 23;
  Vector scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return {scale, rest};
}

inline Vector expm1(Vector x) {
  const Exponential e = exponential(clamp(x, 87.0f));
  return e.scale * e.rest + (e.scale - 1.0f);
}

inline Vector sigmoid(Vector x) {
  const Exponential e = exponential(clamp(-x, 87.0f));
  return 1.0f / ((1.0f + e.scale) + e.scale * e.rest);
}

// (e^2x - 1) / (e^2x + 1), with the numerator accurate near zero. At 18 it rounds to 1.
inline Vector tanh(Vector x) {
  const Exponential e = exponential(2.0f * clamp(x, 18.0f));
  const Vector numerator = e.scale * e.rest + (e.scale - 1.0f);
  return numerator / (numerator + 2.0f);
}

// Transposes the blocks of D by D within each block of 2 D by 2 D: swaps its two off-diagonal blocks. Then recurses
// into blocks of half the size.
template <Index D, Index... J>
inline void swap_blocks(Vector* rows, std::integer_sequence<Index, J...>) {
  THROUGHTIME_UNROLLED for (Index i = 0; i < LANES; ++i) {
    if (i & D) continue;
    const Vector a = rows[i], b = rows[i + D];
#if defined(__clang__)
    rows[i] = __builtin_shufflevector(a, b, (J & D ? J - D + LANES : J)...);
    rows[i + D] = __builtin_shufflevector(a, b, (J & D ? J + LANES : J + D)...);
#else
    rows[i] = __builtin_shuffle(a, b, Bits{(J & D ? J - D + LANES : J)...});
    rows[i + D] = __builtin_shuffle(a, b, Bits{(J & D ? J + LANES : J + D)...});
#endif
  }
  if constexpr (D > 1) swap_blocks<D / 2>(rows, std::integer_sequence<Index, J...>{});
}

// Transposes a square of LANES by LANES; the strides are those from row to row.
inline void transpose_square(const float* from, Index from_stride, float* to, Index to_stride) {
  Vector rows[LANES];
  THROUGHTIME_UNROLLED for (Index i = 0; i < LANES; ++i) rows[i] = load(from + i * from_stride);
  swap_blocks<LANES / 2>(rows, std::make_integer_sequence<Index, LANES>{});
  THROUGHTIME_UNROLLED for (Index i = 0; i < LANES; ++i) store(to + i * to_stride, rows[i]);
}

// Transposes a matrix: to[j * to_stride + i] = from[i * from_stride + j]. A last square that would stick out is moved
// back, over the one before.
inline void transpose(const float* from, Index from_stride, Index rows, Index columns, float* to, Index to_stride) {
  if (rows < LANES || columns < LANES) {
    for (Index j = 0; j < columns; ++j)
      for (Index i = 0; i < rows; ++i) to[j * to_stride + i] = from[i * from_stride + j];
    return;
  }
  for (Index row = 0; row < rows; row += LANES)
    for (Index column = 0; column < columns; column += LANES) {
      const Index i = row < rows - LANES ? row : rows - LANES, j = column < columns - LANES ? column : columns - LANES;
      transpose_square(from + i * from_stride + j, from_stride, to + j * to_stride + i, to_stride);
    }
}

}  // namespace throughtime::THROUGHTIME_ISA

#endif
