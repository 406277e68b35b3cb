// vector.h by NEON: four registers of four.
#pragma once
#include <arm_neon.h>

namespace nomoat {

// Thirty-two registers of four: tiles of 24 sums of them, six of sixteen.
constexpr bool kManyRegisters = false;

struct Floats {
  float32x4_t four[4];
};

template <class Operation>
NOMOAT_INLINE Floats eachFour(Operation&& operation) {
  return {{operation(0), operation(1), operation(2), operation(3)}};
}

NOMOAT_INLINE Floats load(const float* from) { return eachFour([&](int i) { return vld1q_f32(from + 4 * i); }); }
NOMOAT_INLINE void store(float* to, Floats x) {
  for (int i = 0; i < 4; i++) vst1q_f32(to + 4 * i, x.four[i]);
}
NOMOAT_INLINE Floats all(float x) { return eachFour([&](int) { return vdupq_n_f32(x); }); }
NOMOAT_INLINE Floats zeros() { return all(0); }
NOMOAT_INLINE Floats add(Floats a, Floats b) { return eachFour([&](int i) { return vaddq_f32(a.four[i], b.four[i]); }); }
NOMOAT_INLINE Floats sub(Floats a, Floats b) { return eachFour([&](int i) { return vsubq_f32(a.four[i], b.four[i]); }); }
NOMOAT_INLINE Floats mul(Floats a, Floats b) { return eachFour([&](int i) { return vmulq_f32(a.four[i], b.four[i]); }); }
NOMOAT_INLINE Floats divide(Floats a, Floats b) { return eachFour([&](int i) { return vdivq_f32(a.four[i], b.four[i]); }); }
NOMOAT_INLINE Floats fma(Floats a, Floats b, Floats c) { return eachFour([&](int i) { return vfmaq_f32(c.four[i], a.four[i], b.four[i]); }); }
NOMOAT_INLINE Floats magnitude(Floats x) { return eachFour([&](int i) { return vabsq_f32(x.four[i]); }); }
// b where they cannot be compared, as x86 has it.
NOMOAT_INLINE float32x4_t largerOf(float32x4_t a, float32x4_t b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
NOMOAT_INLINE Floats larger(Floats a, Floats b) { return eachFour([&](int i) { return largerOf(a.four[i], b.four[i]); }); }
NOMOAT_INLINE Floats smaller(Floats a, Floats b) {
  return eachFour([&](int i) { return vbslq_f32(vcltq_f32(a.four[i], b.four[i]), a.four[i], b.four[i]); });
}
NOMOAT_INLINE Floats nearest(Floats x) { return eachFour([&](int i) { return vrndnq_f32(x.four[i]); }); }
// 2^n by its bits.
NOMOAT_INLINE Floats timesPowerOfTwo(Floats x, Floats n) {
  return eachFour([&](int i) {
    const int32x4_t exponent = vaddq_s32(vcvtq_s32_f32(n.four[i]), vdupq_n_s32(127));
    return vmulq_f32(x.four[i], vreinterpretq_f32_s32(vshlq_n_s32(exponent, 23)));
  });
}

NOMOAT_INLINE float sum(Floats x) {
  const float32x4_t four = vaddq_f32(vaddq_f32(x.four[0], x.four[2]), vaddq_f32(x.four[1], x.four[3]));
  const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}
NOMOAT_INLINE float largest(Floats x) {
  return vmaxvq_f32(largerOf(largerOf(x.four[0], x.four[2]), largerOf(x.four[1], x.four[3])));
}

NOMOAT_INLINE uint32x4_t lanesFrom(uint32_t first) {
  static constexpr uint32_t lanes[4] = {0, 1, 2, 3};
  return vaddq_u32(vld1q_u32(lanes), vdupq_n_u32(first));
}
NOMOAT_INLINE Floats firstLanes(Floats x, size_t count, Floats rest) {
  const uint32x4_t n = vdupq_n_u32(static_cast<uint32_t>(count));
  return eachFour([&](int i) { return vbslq_f32(vcltq_u32(lanesFrom(4 * i), n), x.four[i], rest.four[i]); });
}
NOMOAT_INLINE Floats without(Floats x, size_t at, Floats other) {
  const uint32x4_t n = vdupq_n_u32(static_cast<uint32_t>(at));
  return eachFour([&](int i) { return vbslq_f32(vceqq_u32(lanesFrom(4 * i), n), other.four[i], x.four[i]); });
}

NOMOAT_INLINE Floats swapOnes(Floats x) { return eachFour([&](int i) { return vrev64q_f32(x.four[i]); }); }
NOMOAT_INLINE Floats swapTwos(Floats x) { return eachFour([&](int i) { return vextq_f32(x.four[i], x.four[i], 2); }); }
NOMOAT_INLINE Floats swapFours(Floats x) { return {{x.four[1], x.four[0], x.four[3], x.four[2]}}; }
NOMOAT_INLINE Floats swapEights(Floats x) { return {{x.four[2], x.four[3], x.four[0], x.four[1]}}; }

NOMOAT_INLINE void transpose16(const float* from, size_t fromStride, float* to, size_t toStride) {
  for (size_t row = 0; row < 16; row += 4)
    for (size_t column = 0; column < 16; column += 4) {
      float32x4_t r[4];
      for (size_t i = 0; i < 4; i++) r[i] = vld1q_f32(from + (row + i) * fromStride + column);
      const float32x4x2_t top = vtrnq_f32(r[0], r[1]), bottom = vtrnq_f32(r[2], r[3]);
      float* at = to + column * toStride + row;
      vst1q_f32(at, vcombine_f32(vget_low_f32(top.val[0]), vget_low_f32(bottom.val[0])));
      vst1q_f32(at + toStride, vcombine_f32(vget_low_f32(top.val[1]), vget_low_f32(bottom.val[1])));
      vst1q_f32(at + 2 * toStride, vcombine_f32(vget_high_f32(top.val[0]), vget_high_f32(bottom.val[0])));
      vst1q_f32(at + 3 * toStride, vcombine_f32(vget_high_f32(top.val[1]), vget_high_f32(bottom.val[1])));
    }
}

}  // namespace nomoat
