// int8.h by AVX-512 VNNI: four products of a byte without and one with sign are summed by one instruction.
#pragma once
#include <immintrin.h>

#include "int8-offset.h"

namespace nomoat {

struct Int8 : OffsetCodes {
  NOMOAT_INLINE void storeCodes(Floats x, Code* to) {
    const __m512i code = _mm512_add_epi32(_mm512_cvtps_epi32(x), _mm512_set1_epi32(kOffset));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtusepi32_epi8(_mm512_max_epi32(code, _mm512_setzero_si512())));
  }
  NOMOAT_INLINE void storeLevels(Floats x, Code* to) {
    const __m512i rounded = _mm512_max_epi32(_mm512_cvtps_epi32(x), _mm512_setzero_si512());
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtusepi32_epi8(rounded));
  }

  template <int kRows>
  NOMOAT_INLINE void tile(Rows<const Code> x, const Weight* panel, const int32_t* start, size_t inner, TileSums<kRows>& out) {
    __m512i sums[kRows][4];
    for (int j = 0; j < 4; j++)
      for (int i = 0; i < kRows; i++) sums[i][j] = _mm512_loadu_si512(start + kLanes * j);
    for (size_t k = 0; k < inner; k += 4, panel += 256) {
      __m512i w[4];
      for (int j = 0; j < 4; j++) w[j] = _mm512_loadu_si512(panel + 64 * j);
#pragma clang loop unroll(full)
      for (int i = 0; i < kRows; i++) {
        int32_t four;
        std::memcpy(&four, x[i] + k, 4);
        const __m512i a = _mm512_set1_epi32(four);
        for (int j = 0; j < 4; j++) sums[i][j] = _mm512_dpbusd_epi32(sums[i][j], a, w[j]);
      }
    }
    for (int i = 0; i < kRows; i++)
      for (int j = 0; j < 4; j++) out[i][j] = _mm512_cvtepi32_ps(sums[i][j]);
  }

  NOMOAT_INLINE void turn(const Weight* from, size_t groups, Weight* to) {
    const __m512i order = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    for (size_t g = 0; g < kPanel / 4; g += 4, to += 64) {
      __m512i s[4];
      for (size_t i = 0; i < 4; i++)
        s[i] = g + i < groups ? _mm512_shuffle_epi8(_mm512_loadu_si512(from + (g + i) * 256), order) : _mm512_setzero_si512();
      const __m512i low01 = _mm512_shuffle_i32x4(s[0], s[1], 0x44), high01 = _mm512_shuffle_i32x4(s[0], s[1], 0xEE);
      const __m512i low23 = _mm512_shuffle_i32x4(s[2], s[3], 0x44), high23 = _mm512_shuffle_i32x4(s[2], s[3], 0xEE);
      _mm512_storeu_si512(to, _mm512_shuffle_i32x4(low01, low23, 0x88));
      _mm512_storeu_si512(to + 256, _mm512_shuffle_i32x4(low01, low23, 0xDD));
      _mm512_storeu_si512(to + 512, _mm512_shuffle_i32x4(high01, high23, 0x88));
      _mm512_storeu_si512(to + 768, _mm512_shuffle_i32x4(high01, high23, 0xDD));
    }
  }
};

}  // namespace nomoat
