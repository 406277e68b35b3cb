// int8.h by AVX-VNNI: the instruction of AVX-512 VNNI in registers of 32 bytes, as processors for laptops have it since 2021 that lack AVX-512.
// NOMOAT_VNNI_256 compiles the same for a processor with AVX-512, where it can be tried: the instruction is then spelled otherwise.
#pragma once
#include <immintrin.h>

#include "int8-offset.h"

namespace nomoat {

struct Int8 : OffsetCodes {
  NOMOAT_INLINE __m256i fourProducts(__m256i sum, __m256i codes, __m256i weights) {
#if defined(NOMOAT_VNNI_256)
    return _mm256_dpbusd_epi32(sum, codes, weights);
#else
    return _mm256_dpbusd_avx_epi32(sum, codes, weights);
#endif
  }

  NOMOAT_INLINE __m256i byteOf(__m256 x, int32_t offset) {
    const __m256i code = _mm256_add_epi32(_mm256_cvtps_epi32(x), _mm256_set1_epi32(offset));
    return _mm256_min_epi32(_mm256_max_epi32(code, _mm256_setzero_si256()), _mm256_set1_epi32(255));
  }
  NOMOAT_INLINE void storeBytes(Floats x, int32_t offset, Code* to) {
    const __m256i sixteen = _mm256_permute4x64_epi64(_mm256_packus_epi32(byteOf(x.low, offset), byteOf(x.high, offset)), 0xD8);
    const __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(sixteen), _mm256_extracti128_si256(sixteen, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
  }
  NOMOAT_INLINE void storeCodes(Floats x, Code* to) { storeBytes(x, kOffset, to); }
  NOMOAT_INLINE void storeLevels(Floats x, Code* to) { storeBytes(x, 0, to); }

  // Sixteen columns after each other: six rows of them are twelve sums.
  template <int kRows>
  NOMOAT_INLINE void tile(Rows<const Code> x, const Weight* panel, const int32_t* start, size_t inner, TileSums<kRows>& out) {
    for (int j = 0; j < 4; j++, panel += kLanes * kTogether, start += kLanes) {
      __m256i low[kRows], high[kRows];
      for (int i = 0; i < kRows; i++) {
        low[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(start));
        high[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(start + 8));
      }
      const Weight* from = panel;
      for (size_t k = 0; k < inner; k += 4, from += kPanel * kTogether) {
        const __m256i w0 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
        const __m256i w1 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + 32));
#pragma clang loop unroll(full)
        for (int i = 0; i < kRows; i++) {
          int32_t four;
          std::memcpy(&four, x[i] + k, 4);
          const __m256i a = _mm256_set1_epi32(four);
          low[i] = fourProducts(low[i], a, w0);
          high[i] = fourProducts(high[i], a, w1);
        }
      }
      for (int i = 0; i < kRows; i++) out[i][j] = {_mm256_cvtepi32_ps(low[i]), _mm256_cvtepi32_ps(high[i])};
    }
  }

  NOMOAT_INLINE void turn(const Weight* from, size_t groups, Weight* to) {
    const __m128i order = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    for (size_t g = 0; g < kPanel / kTogether; g++)
      for (size_t i = 0; i < 4; i++) {
        const auto* at = reinterpret_cast<const __m128i*>(from + g * 256 + 16 * i);
        const __m128i four = g < groups ? _mm_shuffle_epi8(_mm_loadu_si128(at), order) : _mm_setzero_si128();
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i * 256 + g * 16), four);
      }
  }
};

}  // namespace nomoat
