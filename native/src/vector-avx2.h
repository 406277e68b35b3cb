// vector.h by AVX2 and FMA: two registers of eight.
#pragma once
#include <immintrin.h>

namespace nomoat {

// Sixteen registers: twelve sums of eight, and what is multiplied.
constexpr bool kManyRegisters = false;

struct Floats {
  __m256 low, high;
};

NOMOAT_INLINE Floats load(const float* from) { return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)}; }
NOMOAT_INLINE void store(float* to, Floats x) { _mm256_storeu_ps(to, x.low), _mm256_storeu_ps(to + 8, x.high); }
NOMOAT_INLINE Floats all(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
NOMOAT_INLINE Floats zeros() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
NOMOAT_INLINE Floats add(Floats a, Floats b) { return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)}; }
NOMOAT_INLINE Floats sub(Floats a, Floats b) { return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)}; }
NOMOAT_INLINE Floats mul(Floats a, Floats b) { return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)}; }
NOMOAT_INLINE Floats divide(Floats a, Floats b) { return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)}; }
NOMOAT_INLINE Floats fma(Floats a, Floats b, Floats c) {
  return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}
NOMOAT_INLINE Floats magnitude(Floats x) {
  const __m256 sign = _mm256_set1_ps(-0.f);
  return {_mm256_andnot_ps(sign, x.low), _mm256_andnot_ps(sign, x.high)};
}
NOMOAT_INLINE Floats larger(Floats a, Floats b) { return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)}; }
NOMOAT_INLINE Floats smaller(Floats a, Floats b) { return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)}; }
NOMOAT_INLINE Floats nearest(Floats x) {
  constexpr int mode = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  return {_mm256_round_ps(x.low, mode), _mm256_round_ps(x.high, mode)};
}

// 2^n by its bits, n being a whole number in -126 .. 127.
NOMOAT_INLINE __m256 powerOfTwo(__m256 n) {
  const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
  return _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
}
NOMOAT_INLINE Floats timesPowerOfTwo(Floats x, Floats n) { return mul(x, {powerOfTwo(n.low), powerOfTwo(n.high)}); }

NOMOAT_INLINE float sum(Floats x) {
  const __m256 eight = _mm256_add_ps(x.low, x.high);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
NOMOAT_INLINE float largest(Floats x) {
  const __m256 eight = _mm256_max_ps(x.low, x.high);
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

NOMOAT_INLINE __m256i lanesFrom(int first) {
  return _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(first));
}
NOMOAT_INLINE __m256 chosen(__m256i where, __m256 yes, __m256 no) { return _mm256_blendv_ps(no, yes, _mm256_castsi256_ps(where)); }

NOMOAT_INLINE Floats firstLanes(Floats x, size_t count, Floats rest) {
  const __m256i n = _mm256_set1_epi32(static_cast<int>(count));
  return {chosen(_mm256_cmpgt_epi32(n, lanesFrom(0)), x.low, rest.low), chosen(_mm256_cmpgt_epi32(n, lanesFrom(8)), x.high, rest.high)};
}
NOMOAT_INLINE Floats without(Floats x, size_t at, Floats other) {
  const __m256i n = _mm256_set1_epi32(static_cast<int>(at));
  return {chosen(_mm256_cmpeq_epi32(n, lanesFrom(0)), other.low, x.low), chosen(_mm256_cmpeq_epi32(n, lanesFrom(8)), other.high, x.high)};
}

NOMOAT_INLINE Floats swapOnes(Floats x) { return {_mm256_permute_ps(x.low, 0xB1), _mm256_permute_ps(x.high, 0xB1)}; }
NOMOAT_INLINE Floats swapTwos(Floats x) { return {_mm256_permute_ps(x.low, 0x4E), _mm256_permute_ps(x.high, 0x4E)}; }
NOMOAT_INLINE Floats swapFours(Floats x) {
  return {_mm256_permute2f128_ps(x.low, x.low, 1), _mm256_permute2f128_ps(x.high, x.high, 1)};
}
NOMOAT_INLINE Floats swapEights(Floats x) { return {x.high, x.low}; }

// Eight rows of eight, turned where they are.
NOMOAT_INLINE void transpose8(__m256 r[8]) {
  __m256 t[8];
#pragma clang loop unroll(full)
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 8; i += 4)
    for (int j = 0; j < 2; j++) {
      r[i + 2 * j] = _mm256_shuffle_ps(t[i + j], t[i + j + 2], 0x44);
      r[i + 2 * j + 1] = _mm256_shuffle_ps(t[i + j], t[i + j + 2], 0xEE);
    }
  // r[4 g + j] holds columns j and 4 + j of rows 4 g .. 4 g + 3.
#pragma clang loop unroll(full)
  for (int j = 0; j < 4; j++) {
    const __m256 top = r[j], bottom = r[4 + j];
    r[j] = _mm256_permute2f128_ps(top, bottom, 0x20);
    r[4 + j] = _mm256_permute2f128_ps(top, bottom, 0x31);
  }
}

NOMOAT_INLINE void transpose16(const float* from, size_t fromStride, float* to, size_t toStride) {
  for (size_t row = 0; row < 16; row += 8)
    for (size_t column = 0; column < 16; column += 8) {
      __m256 r[8];
      for (size_t i = 0; i < 8; i++) r[i] = _mm256_loadu_ps(from + (row + i) * fromStride + column);
      transpose8(r);
      for (size_t i = 0; i < 8; i++) _mm256_storeu_ps(to + (column + i) * toStride + row, r[i]);
    }
}

}  // namespace nomoat
