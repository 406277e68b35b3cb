// int8.h by NEON with dotprod: four products of bytes with signs are summed by one instruction. Levels are kept less 128, which the sums begin with.
#pragma once
#include <arm_neon.h>

namespace nomoat {

struct Int8 {
  using Code = int8_t;  // of a row: the value
  using Weight = int8_t;
  static constexpr size_t kTogether = 4;
  static constexpr int32_t kOffset = 0;
  static constexpr Code kNoLevel = -128;

  template <class Rounded>
  NOMOAT_INLINE void storeBytes(Rounded&& rounded, Code* to) {
    const int16x8_t low = vcombine_s16(vqmovn_s32(rounded(0)), vqmovn_s32(rounded(1)));
    const int16x8_t high = vcombine_s16(vqmovn_s32(rounded(2)), vqmovn_s32(rounded(3)));
    vst1q_s8(to, vcombine_s8(vqmovn_s16(low), vqmovn_s16(high)));
  }
  NOMOAT_INLINE void storeCodes(Floats x, Code* to) {
    storeBytes([&](int i) { return vcvtnq_s32_f32(x.four[i]); }, to);
  }
  NOMOAT_INLINE void storeLevels(Floats x, Code* to) {
    const auto level = [&](int i) { return vminq_s32(vmaxq_s32(vcvtnq_s32_f32(x.four[i]), vdupq_n_s32(0)), vdupq_n_s32(255)); };
    storeBytes([&](int i) { return vsubq_s32(level(i), vdupq_n_s32(128)); }, to);
  }
  NOMOAT_INLINE void levelStart(const Weight* panel, size_t inner, int32_t* start) {
    for (size_t k = 0; k < inner; k += kTogether, panel += kPanel * kTogether)
      for (size_t i = 0; i < kPanel * kTogether; i++) start[i / kTogether] += 128 * panel[i];
  }

  // Sixteen columns after each other: six rows of them are 24 sums.
  template <int kRows>
  NOMOAT_INLINE void tile(Rows<const Code> x, const Weight* panel, const int32_t* start, size_t inner, TileSums<kRows>& out) {
    for (int j = 0; j < 4; j++, panel += kLanes * kTogether, start += kLanes) {
      int32x4_t sums[kRows][4];
      for (int i = 0; i < kRows; i++)
        for (int n = 0; n < 4; n++) sums[i][n] = vld1q_s32(start + 4 * n);
      const Weight* from = panel;
      for (size_t k = 0; k < inner; k += 4, from += kPanel * kTogether) {
        int8x16_t w[4];
        for (int n = 0; n < 4; n++) w[n] = vld1q_s8(from + 16 * n);
#pragma clang loop unroll(full)
        for (int i = 0; i < kRows; i++) {
          int32_t four;
          std::memcpy(&four, x[i] + k, 4);
          const int8x16_t a = vreinterpretq_s8_s32(vdupq_n_s32(four));
          for (int n = 0; n < 4; n++) sums[i][n] = vdotq_s32(sums[i][n], w[n], a);
        }
      }
      for (int i = 0; i < kRows; i++) out[i][j] = eachFour([&](int n) { return vcvtq_f32_s32(sums[i][n]); });
    }
  }

  NOMOAT_INLINE void turn(const Weight* from, size_t groups, Weight* to) {
    static constexpr uint8_t order[16] = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
    const uint8x16_t places = vld1q_u8(order);
    for (size_t g = 0; g < kPanel / kTogether; g++)
      for (size_t i = 0; i < 4; i++) {
        const int8x16_t four = g < groups ? vqtbl1q_s8(vld1q_s8(from + g * 256 + 16 * i), places) : vdupq_n_s8(0);
        vst1q_s8(to + i * 256 + g * 16, four);
      }
  }
};

}  // namespace nomoat
