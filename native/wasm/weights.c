/**
 * Weights on their way from a file to a step, as WebAssembly: what runs over every weight of a model, four values at a time. Plain C, no library, one thread.
 * The same bits as the double precision of JavaScript rounded once: where a float32 operation rounds only once, float32 does; elsewhere double.
 * Block layouts: ggml-common.h and ggml-quants.c of https://github.com/ggml-org/ggml.
 */
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name)))

/** The end of what the module itself needs: its caller's buffers begin there. */
extern uint8_t __heap_base;
EXPORT(heap) uint8_t *heap(void) { return &__heap_base; }

typedef union {
  uint32_t bits;
  float value;
} Bits;

/** The value of a float16; NaN without its payload. */
static float half(const uint8_t *at) {
  const uint32_t h = at[0] | ((uint32_t)at[1] << 8);
  const uint32_t sign = (h & 0x8000u) << 16, exponent = (h >> 10) & 31, fraction = h & 1023;
  Bits out;
  if (exponent == 31) out.bits = fraction ? 0x7fc00000u : sign | 0x7f800000u;
  else if (exponent == 0) {
    out.value = (float)fraction * 0x1p-24f;
    out.bits |= sign;
  } else out.bits = sign | ((exponent + 112) << 23) | (fraction << 13);
  return out.value;
}

EXPORT(q8_0) void q8_0(const uint8_t *bytes, float *out, uint32_t blocks) {
  for (; blocks--; bytes += 34, out += 32) {
    const float d = half(bytes);
    const int8_t *q = (const int8_t *)bytes + 2;
    for (int j = 0; j < 32; j++) out[j] = d * (float)q[j];
  }
}

EXPORT(q4_0) void q4_0(const uint8_t *bytes, float *out, uint32_t blocks) {
  for (; blocks--; bytes += 18, out += 32) {
    const float d = half(bytes);
    for (int j = 0; j < 16; j++) out[j] = d * (float)((bytes[2 + j] & 15) - 8);
    for (int j = 0; j < 16; j++) out[j + 16] = d * (float)((bytes[2 + j] >> 4) - 8);
  }
}

EXPORT(q4_1) void q4_1(const uint8_t *bytes, float *out, uint32_t blocks) {
  for (; blocks--; bytes += 20, out += 32) {
    const float d = half(bytes), m = half(bytes + 2);
    for (int j = 0; j < 16; j++) out[j] = d * (float)(bytes[4 + j] & 15) + m;
    for (int j = 0; j < 16; j++) out[j + 16] = d * (float)(bytes[4 + j] >> 4) + m;
  }
}

/** The 32 five-bit numbers of a Q5_0 or Q5_1 block: their four low bits are in 16 bytes, their high ones in the 4 bytes before. */
static void five_bits(const uint8_t *high, uint8_t *to) {
  const uint8_t *low = high + 4;
  for (int j = 0; j < 16; j++) {
    to[j] = (uint8_t)((low[j] & 15) | (((high[j >> 3] >> (j & 7)) & 1) << 4));
    to[j + 16] = (uint8_t)((low[j] >> 4) | (((high[2 + (j >> 3)] >> (j & 7)) & 1) << 4));
  }
}

EXPORT(q5_0) void q5_0(const uint8_t *bytes, float *out, uint32_t blocks) {
  for (; blocks--; bytes += 22, out += 32) {
    const float d = half(bytes);
    uint8_t q[32];
    five_bits(bytes + 2, q);
    for (int j = 0; j < 32; j++) out[j] = d * (float)(q[j] - 16);
  }
}

EXPORT(q5_1) void q5_1(const uint8_t *bytes, float *out, uint32_t blocks) {
  for (; blocks--; bytes += 24, out += 32) {
    const float d = half(bytes), m = half(bytes + 2);
    uint8_t q[32];
    five_bits(bytes + 4, q);
    for (int j = 0; j < 32; j++) out[j] = d * (float)q[j] + m;
  }
}

/** The 6-bit scale and minimum of sub-block j of a Q4_K or Q5_K block, whose 12 scale bytes begin at `at`. */
static int scale_of(const uint8_t *at, int j) { return j < 4 ? at[j] & 63 : (at[j + 4] & 15) | ((at[j - 4] >> 6) << 4); }
static int minimum_of(const uint8_t *at, int j) { return j < 4 ? at[j + 4] & 63 : (at[j + 4] >> 4) | ((at[j] >> 6) << 4); }

EXPORT(q4_k) void q4_k(const uint8_t *bytes, float *out, uint32_t blocks) {
  for (; blocks--; bytes += 144, out += 256) {
    const float d = half(bytes), least = half(bytes + 2);
    for (int j = 0; j < 4; j++) {
      const uint8_t *q = bytes + 16 + 32 * j;
      float *to = out + 64 * j;
      const float d1 = d * (float)scale_of(bytes + 4, 2 * j), m1 = least * (float)minimum_of(bytes + 4, 2 * j);
      const float d2 = d * (float)scale_of(bytes + 4, 2 * j + 1), m2 = least * (float)minimum_of(bytes + 4, 2 * j + 1);
      for (int l = 0; l < 32; l++) to[l] = d1 * (float)(q[l] & 15) - m1;
      for (int l = 0; l < 32; l++) to[l + 32] = d2 * (float)(q[l] >> 4) - m2;
    }
  }
}

EXPORT(q5_k) void q5_k(const uint8_t *bytes, float *out, uint32_t blocks) {
  for (; blocks--; bytes += 176, out += 256) {
    const float d = half(bytes), least = half(bytes + 2);
    for (int j = 0; j < 4; j++) {
      const uint8_t *q = bytes + 48 + 32 * j, *high = bytes + 16;
      float *to = out + 64 * j;
      const float d1 = d * (float)scale_of(bytes + 4, 2 * j), m1 = least * (float)minimum_of(bytes + 4, 2 * j);
      const float d2 = d * (float)scale_of(bytes + 4, 2 * j + 1), m2 = least * (float)minimum_of(bytes + 4, 2 * j + 1);
      uint8_t a[32], b[32];
      for (int l = 0; l < 32; l++) a[l] = (uint8_t)((q[l] & 15) | (((high[l] >> (2 * j)) & 1) << 4));
      for (int l = 0; l < 32; l++) b[l] = (uint8_t)((q[l] >> 4) | (((high[l] >> (2 * j + 1)) & 1) << 4));
      for (int l = 0; l < 32; l++) to[l] = d1 * (float)a[l] - m1;
      for (int l = 0; l < 32; l++) to[l + 32] = d2 * (float)b[l] - m2;
    }
  }
}

EXPORT(q6_k) void q6_k(const uint8_t *bytes, float *out, uint32_t blocks) {
  for (; blocks--; bytes += 210, out += 256) {
    const float d = half(bytes + 208);
    for (int n = 0; n < 2; n++) {
      const uint8_t *low = bytes + 64 * n, *high = bytes + 128 + 32 * n;
      const int8_t *scales = (const int8_t *)bytes + 192 + 8 * n;
      // Quarter q of 32 values: the lower or upper half of 32 bytes, with two high bits each.
      for (int q = 0; q < 4; q++)
        for (int s = 0; s < 2; s++) {
          const float scale = d * (float)scales[2 * q + s];
          const uint8_t *from = low + 32 * (q & 1) + 16 * s, *top = high + 16 * s;
          float *to = out + 128 * n + 32 * q + 16 * s;
          const int down = 4 * (q >> 1), up = 2 * q;
          int8_t six[16];
          for (int l = 0; l < 16; l++) six[l] = (int8_t)((((from[l] >> down) & 15) | (((top[l] >> up) & 3) << 4)) - 32);
          for (int l = 0; l < 16; l++) to[l] = scale * (float)six[l];
        }
    }
  }
}

/** Rows that are computed side by side. */
#define SIDE 16

/** A block of the transform of src/graph/hadamard.ts on columns [block][SIDE] of SIDE rows. */
static void hadamard(float *x, int block) {
  int half = 1;
  for (; half * 2 < block; half *= 2)
    for (int at = 0; at < block; at += 2 * half)
      for (int i = at; i < at + half; i++) {
        float *a = x + i * SIDE, *b = a + half * SIDE;
        for (int r = 0; r < SIDE; r++) {
          const float p = a[r], q = b[r];
          a[r] = p + q;
          b[r] = p - q;
        }
      }
  if (block == 1) return;
  const double factor = 1 / __builtin_sqrt((double)block);
  for (int i = 0; i < half; i++) {
    float *a = x + i * SIDE, *b = a + half * SIDE;
    for (int r = 0; r < SIDE; r++) {
      const double p = a[r], q = b[r];
      a[r] = (float)((p + q) * factor);
      b[r] = (float)((p - q) * factor);
    }
  }
}

/**
 * `rows` [count, width] as int8 [width, count] with a scale [count] each, transformed by Hadamard blocks; `levels` is the largest magnitude of a value.
 * `columns` is room for [width, SIDE] floats.
 */
EXPORT(quantize) void quantize(const float *rows, int count, int width, int block, int levels, float *columns, int8_t *values, float *scale) {
  for (int first = 0; first < count; first += SIDE) {
    const int side = count - first < SIDE ? count - first : SIDE;
    // A row that is not there is computed as the last one, and dropped.
    for (int r = 0; r < SIDE; r++) {
      const float *row = rows + (first + (r < side ? r : side - 1)) * width;
      for (int k = 0; k < width; k++) columns[k * SIDE + r] = row[k];
    }
    for (int k = 0; k < width; k += block) hadamard(columns + k * SIDE, block);
    float top[SIDE] = {0};
    for (int k = 0; k < width; k++)
      for (int r = 0; r < SIDE; r++) {
        const float magnitude = __builtin_fabsf(columns[k * SIDE + r]);
        top[r] = magnitude > top[r] ? magnitude : top[r];
      }
    double inverse[SIDE];
    for (int r = 0; r < side; r++) scale[first + r] = (float)((double)top[r] / levels);
    for (int r = 0; r < SIDE; r++) inverse[r] = top[r] > 0 ? levels / (double)top[r] : 0;
    // Rounds: truncation of what is made positive first.
    for (int k = 0; k < width; k++) {
      int8_t rounded[SIDE];
      for (int r = 0; r < SIDE; r++) rounded[r] = (int8_t)((int)((double)columns[k * SIDE + r] * inverse[r] + 128.5) - 128);
      __builtin_memcpy(values + k * count + first, rounded, side == SIDE ? SIDE : (unsigned)side);
    }
  }
}
