// vector.h by AVX-512.
#pragma once
#include <immintrin.h>

namespace nomoat {

// Enough registers for tiles of 24 sums of sixteen.
constexpr bool kManyRegisters = true;

using Floats = __m512;

NOMOAT_INLINE Floats load(const float* from) { return _mm512_loadu_ps(from); }
NOMOAT_INLINE void store(float* to, Floats x) { _mm512_storeu_ps(to, x); }
NOMOAT_INLINE Floats all(float x) { return _mm512_set1_ps(x); }
NOMOAT_INLINE Floats zeros() { return _mm512_setzero_ps(); }
NOMOAT_INLINE Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
NOMOAT_INLINE Floats sub(Floats a, Floats b) { return _mm512_sub_ps(a, b); }
NOMOAT_INLINE Floats mul(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
NOMOAT_INLINE Floats divide(Floats a, Floats b) { return _mm512_div_ps(a, b); }
NOMOAT_INLINE Floats fma(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
NOMOAT_INLINE Floats magnitude(Floats x) { return _mm512_abs_ps(x); }
NOMOAT_INLINE Floats larger(Floats a, Floats b) { return _mm512_max_ps(a, b); }
NOMOAT_INLINE Floats smaller(Floats a, Floats b) { return _mm512_min_ps(a, b); }
NOMOAT_INLINE Floats nearest(Floats x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
NOMOAT_INLINE Floats timesPowerOfTwo(Floats x, Floats n) { return _mm512_scalef_ps(x, n); }

NOMOAT_INLINE float sum(Floats x) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
NOMOAT_INLINE float largest(Floats x) { return _mm512_reduce_max_ps(x); }

NOMOAT_INLINE Floats firstLanes(Floats x, size_t count, Floats rest) {
  return _mm512_mask_blend_ps(static_cast<__mmask16>((1u << count) - 1), rest, x);
}
NOMOAT_INLINE Floats without(Floats x, size_t at, Floats other) {
  return _mm512_mask_blend_ps(static_cast<__mmask16>(1u << at), x, other);
}

NOMOAT_INLINE Floats swapOnes(Floats x) { return _mm512_permute_ps(x, 0xB1); }
NOMOAT_INLINE Floats swapTwos(Floats x) { return _mm512_permute_ps(x, 0x4E); }
NOMOAT_INLINE Floats swapFours(Floats x) { return _mm512_shuffle_f32x4(x, x, 0xB1); }
NOMOAT_INLINE Floats swapEights(Floats x) { return _mm512_shuffle_f32x4(x, x, 0x4E); }

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
