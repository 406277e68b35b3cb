// Sixteen floats at once, and what is computed with them element by element. One header a set of instructions offers the same functions, with the
// same bits as results. Fused multiply-adds are written out: the compiler is told never to make its own (-ffp-contract=off), or bits would depend on it.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace nomoat {

// Every width of a model is a multiple of this; supports() of src/runtime/native refuses others.
constexpr size_t kLanes = 16;

#define NOMOAT_INLINE_MEMBER inline __attribute__((always_inline))
#define NOMOAT_INLINE static NOMOAT_INLINE_MEMBER

}  // namespace nomoat

// Each has: Floats; load, store, all, zeros; add, sub, mul, divide, magnitude, larger, smaller; fma (a * b + c, rounded once); nearest, to whole
// numbers, ties to even; timesPowerOfTwo, x * 2^n for whole n in -126 .. 127; sum, halves upon halves, and largest; firstLanes, the first `count`
// lanes, 0 to 16, and the others of `rest`; without, x with lane `at` of `other`; swapOnes to swapEights, each lane its partner that many lanes away;
// transpose16, to[k * toStride + n] = from[n * fromStride + k] of 16 x 16 numbers; kManyRegisters.
#if defined(__AVX512VNNI__) && !defined(NOMOAT_VNNI_256)
#include "vector-avx512.h"
#elif defined(__AVX2__) && defined(__FMA__)
#include "vector-avx2.h"
#elif defined(__ARM_FEATURE_DOTPROD)
#include "vector-neon.h"
#else
#error "no vectors for this set of instructions"
#endif

namespace nomoat {

// By way of double precision: what is left of a float is then the same by every system's mathematical library.
NOMOAT_INLINE float logarithm(float x) { return static_cast<float>(std::log(static_cast<double>(x))); }
NOMOAT_INLINE float exponentialOf(float x) { return static_cast<float>(std::exp(static_cast<double>(x))); }

// e^x within 2e-7, relative: Cody and Waite's reduction and a polynomial of degree six. Below -87 it is e^-87, not a denormal number.
NOMOAT_INLINE Floats exponential(Floats x) {
  x = smaller(larger(x, all(-87.f)), all(88.f));
  const Floats n = nearest(mul(x, all(1.44269504f)));
  Floats r = fma(n, all(-0.693145752f), x);
  r = fma(n, all(-1.42860677e-6f), r);
  Floats p = all(1.f / 720);
  for (const float coefficient : {1.f / 120, 1.f / 24, 1.f / 6, .5f, 1.f, 1.f}) p = fma(p, r, all(coefficient));
  return timesPowerOfTwo(p, n);
}

NOMOAT_INLINE Floats sigmoid(Floats x) { return divide(all(1), add(all(1), exponential(sub(zeros(), x)))); }

}  // namespace nomoat
