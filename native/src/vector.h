// Sixteen floats at once, and what is computed with them element by element. AVX-512; another instruction set replaces this file.
// Fused multiply-adds are written out: the compiler is told never to make its own (-ffp-contract=off), or bits would depend on it.
#pragma once
#include <immintrin.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace nomoat {

// Every width of a model is a multiple of this; supports() of src/runtime/native refuses others.
constexpr size_t kLanes = 16;

using Floats = __m512;
using Ints = __m512i;

#define NOMOAT_INLINE_MEMBER inline __attribute__((always_inline))
#define NOMOAT_INLINE static NOMOAT_INLINE_MEMBER

NOMOAT_INLINE Floats load(const float* from) { return _mm512_loadu_ps(from); }
NOMOAT_INLINE void store(float* to, Floats x) { _mm512_storeu_ps(to, x); }
NOMOAT_INLINE Floats all(float x) { return _mm512_set1_ps(x); }
NOMOAT_INLINE Floats zeros() { return _mm512_setzero_ps(); }
NOMOAT_INLINE Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
NOMOAT_INLINE Floats sub(Floats a, Floats b) { return _mm512_sub_ps(a, b); }
NOMOAT_INLINE Floats mul(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
// a * b + c, rounded once.
NOMOAT_INLINE Floats fma(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
// In a fixed order, so the same on every run.
NOMOAT_INLINE float sum(Floats x) { return _mm512_reduce_add_ps(x); }
NOMOAT_INLINE float largest(Floats x) { return _mm512_reduce_max_ps(x); }
NOMOAT_INLINE Floats magnitude(Floats x) { return _mm512_abs_ps(x); }
NOMOAT_INLINE Floats larger(Floats a, Floats b) { return _mm512_max_ps(a, b); }

// e^x within 2e-7, relative: Cody and Waite's reduction and a polynomial of degree six. Below -87 it is e^-87, not a denormal number.
NOMOAT_INLINE Floats exponential(Floats x) {
  x = _mm512_min_ps(_mm512_max_ps(x, all(-87.f)), all(88.f));
  const Floats n = _mm512_roundscale_ps(mul(x, all(1.44269504f)), 0);
  Floats r = fma(n, all(-0.693145752f), x);
  r = fma(n, all(-1.42860677e-6f), r);
  Floats p = all(1.f / 720);
  for (const float coefficient : {1.f / 120, 1.f / 24, 1.f / 6, .5f, 1.f, 1.f}) p = fma(p, r, all(coefficient));
  return _mm512_scalef_ps(p, n);
}

NOMOAT_INLINE Floats sigmoid(Floats x) { return _mm512_div_ps(all(1), add(all(1), exponential(sub(zeros(), x)))); }

// The first `count` lanes, 0 to 16; the others of `rest`.
NOMOAT_INLINE Floats firstLanes(Floats x, size_t count, Floats rest) {
  return _mm512_mask_blend_ps(static_cast<__mmask16>((1u << count) - 1), rest, x);
}

// x, with lane `at` of `other`.
NOMOAT_INLINE Floats without(Floats x, size_t at, Floats other) {
  return _mm512_mask_blend_ps(static_cast<__mmask16>(1u << at), x, other);
}
// Sixteen numbers as bytes, rounded to the nearest, ties to even, and no less than 0 nor more than 255.
NOMOAT_INLINE void storeBytes(uint8_t* to, Floats x) {
  const Ints rounded = _mm512_max_epi32(_mm512_cvtps_epi32(x), _mm512_setzero_si512());
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtusepi32_epi8(rounded));
}

// to[k * toStride + n] = from[n * fromStride + k] of 16 x 16 numbers.
NOMOAT_INLINE void transpose16(const float* from, size_t fromStride, float* to, size_t toStride) {
  Floats r[16], t[16];
  for (int i = 0; i < 16; i++) r[i] = load(from + i * fromStride);
#pragma clang loop unroll(full)
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 16; i += 4)
    for (int j = 0; j < 2; j++) {
      const __m512d a = _mm512_castps_pd(t[i + j]), b = _mm512_castps_pd(t[i + j + 2]);
      r[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
      r[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
    }
  // r[4 g + j] holds, in its 128-bit lane l, column 4 l + j of rows 4 g .. 4 g + 3.
#pragma clang loop unroll(full)
  for (int j = 0; j < 4; j++) {
    const Floats low01 = _mm512_shuffle_f32x4(r[j], r[4 + j], 0x88), high01 = _mm512_shuffle_f32x4(r[j], r[4 + j], 0xDD);
    const Floats low23 = _mm512_shuffle_f32x4(r[8 + j], r[12 + j], 0x88), high23 = _mm512_shuffle_f32x4(r[8 + j], r[12 + j], 0xDD);
    store(to + j * toStride, _mm512_shuffle_f32x4(low01, low23, 0x88));
    store(to + (4 + j) * toStride, _mm512_shuffle_f32x4(high01, high23, 0x88));
    store(to + (8 + j) * toStride, _mm512_shuffle_f32x4(low01, low23, 0xDD));
    store(to + (12 + j) * toStride, _mm512_shuffle_f32x4(high01, high23, 0xDD));
  }
}

}  // namespace nomoat
