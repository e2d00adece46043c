// Vectors of THROUGHTIME_LANES floats, in the language of GCC and Clang, and the functions of a cell on them.
//
// Everything here is compiled once for each instruction set, into a namespace of that name. No template of the
// standard library may be used below: the linker would keep one copy for all, which not every processor can run.
#ifndef THROUGHTIME_SIMD_H
#define THROUGHTIME_SIMD_H

#include <cstdint>
#include <cstring>

namespace throughtime::THROUGHTIME_ISA {

using Index = std::int64_t;

constexpr Index LANES = THROUGHTIME_LANES;

typedef float Vector __attribute__((vector_size(4 * THROUGHTIME_LANES)));
typedef std::int32_t Bits __attribute__((vector_size(4 * THROUGHTIME_LANES)));
typedef float Unaligned __attribute__((vector_size(4 * THROUGHTIME_LANES), aligned(4), may_alias));

inline Vector load(const float* at) { return *reinterpret_cast<const Unaligned*>(at); }
inline void store(float* at, Vector x) { *reinterpret_cast<Unaligned*>(at) = x; }
inline Vector all(float x) { return Vector{} + x; }

inline Index up(Index size, Index to) { return (size + to - 1) / to * to; }

// e^x = scale * (1 + rest), with scale a power of two. The series of e^r - 1 at |r| <= ln(2) / 2 is cut where its
// terms fall below 2e-8 of it. Beyond +-87 the result stays at that of the end; not a number stays so.
struct Exponential {
  Vector scale, rest;
};

inline Exponential exponential(Vector x) {
  const Vector most = all(87.0f);
  x = x > most ? most : x;
  x = x < -most ? -most : x;
  const Vector magic = all(12582912.0f);  // 1.5 * 2^23: what is added to it is rounded to a whole number
  const Vector shifted = x * all(1.44269504f) + magic;
  const Vector whole = shifted - magic;
  const Vector r = (x - whole * all(0.693359375f)) + whole * all(2.12194440e-4f);  // ln 2 in two parts
  Vector series = all(1.0f / 5040);
  series = series * r + all(1.0f / 720);
  series = series * r + all(1.0f / 120);
  series = series * r + all(1.0f / 24);
  series = series * r + all(1.0f / 6);
  series = series * r + all(0.5f);
  const Vector rest = r + r * r * series;
  Bits bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 127) << 23;
  Vector scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return {scale, rest};
}

inline Vector exp(Vector x) {
  const Exponential e = exponential(x);
  return e.scale + e.scale * e.rest;
}

inline Vector expm1(Vector x) {
  const Exponential e = exponential(x);
  return e.scale * e.rest + (e.scale - 1.0f);
}

inline Vector sigmoid(Vector x) { return 1.0f / (1.0f + exp(-x)); }

// By expm1, which near zero has every digit that x has. At 18 it is 1 to the last bit.
inline Vector tanh(Vector x) {
  const Vector most = all(18.0f);
  x = x > most ? most : x;
  x = x < -most ? -most : x;
  const Vector e = expm1(2.0f * x);
  return e / (e + 2.0f);
}

}  // namespace throughtime::THROUGHTIME_ISA

#endif
