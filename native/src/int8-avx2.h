// int8.h by AVX2, whose product of bytes saturates at 16 bits: codes are kept in 16 bits and weights widened on the way, so that two products are
// summed in 32 bits and any weight will do. As many multiplications as the products of bytes need, which take a second one to widen their sums.
#pragma once
#include <immintrin.h>

namespace nomoat {

struct Int8 {
  using Code = int16_t;  // of a row: the value
  using Weight = int8_t;
  static constexpr size_t kTogether = 2;
  static constexpr int32_t kOffset = 0;
  static constexpr Code kNoLevel = 0;

  NOMOAT_INLINE __m256i sixteen(Floats x) {
    const __m256i packed = _mm256_packs_epi32(_mm256_cvtps_epi32(x.low), _mm256_cvtps_epi32(x.high));
    return _mm256_permute4x64_epi64(packed, 0xD8);
  }
  NOMOAT_INLINE void storeBetween(Floats x, int16_t least, int16_t most, Code* to) {
    const __m256i rounded = _mm256_max_epi16(_mm256_min_epi16(sixteen(x), _mm256_set1_epi16(most)), _mm256_set1_epi16(least));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), rounded);
  }
  NOMOAT_INLINE void storeCodes(Floats x, Code* to) { storeBetween(x, -128, 127, to); }
  NOMOAT_INLINE void storeLevels(Floats x, Code* to) { storeBetween(x, 0, 255, to); }

  NOMOAT_INLINE void levelStart(const Weight*, size_t, int32_t*) {}

  // Sixteen columns after each other: six rows of them are twelve sums.
  template <int kRows>
  NOMOAT_INLINE void tile(Rows<const Code> x, const Weight* panel, const int32_t*, size_t inner, TileSums<kRows>& out) {
    for (int j = 0; j < 4; j++, panel += kLanes * kTogether) {
      __m256i low[kRows], high[kRows];
      for (int i = 0; i < kRows; i++) low[i] = high[i] = _mm256_setzero_si256();
      const Weight* from = panel;
      for (size_t k = 0; k < inner; k += 2, from += kPanel * kTogether) {
        const __m256i w0 = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
        const __m256i w1 = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 16)));
#pragma clang loop unroll(full)
        for (int i = 0; i < kRows; i++) {
          int32_t two;
          std::memcpy(&two, x[i] + k, 4);
          const __m256i a = _mm256_set1_epi32(two);
          low[i] = _mm256_add_epi32(low[i], _mm256_madd_epi16(a, w0));
          high[i] = _mm256_add_epi32(high[i], _mm256_madd_epi16(a, w1));
        }
      }
      for (int i = 0; i < kRows; i++) out[i][j] = {_mm256_cvtepi32_ps(low[i]), _mm256_cvtepi32_ps(high[i])};
    }
  }

  // Pairs of rows are turned as numbers of 32 bits, after the two in the middle of the four bytes have changed places.
  NOMOAT_INLINE void turn(const Weight* from, size_t groups, Weight* to) {
    const __m256i order = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15));
    constexpr size_t row = kPanel * kTogether;
    for (size_t g = 0; g < kPanel / kTogether; g += 8, to += 32) {
      __m256 units[8];
      for (size_t i = 0; i < 8; i++) {
        const auto* at = reinterpret_cast<const __m256i*>(from + (g + i) * row);
        units[i] = g + i < groups ? _mm256_castsi256_ps(_mm256_shuffle_epi8(_mm256_loadu_si256(at), order)) : _mm256_setzero_ps();
      }
      transpose8(units);
      for (size_t i = 0; i < 8; i++) _mm256_storeu_ps(reinterpret_cast<float*>(to + i * row), units[i]);
    }
  }
};

}  // namespace nomoat
