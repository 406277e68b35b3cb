// What is done to single rows: norms, the Hadamard transform, rotation, the gate.
#pragma once
#include "vector.h"

namespace nomoat {

// out = x * w / sqrt(mean(x^2) + epsilon); returns that reciprocal root. Width: a multiple of 16.
NOMOAT_INLINE float normRow(const float* x, const float* weight, size_t width, float epsilon, float* out) {
  Floats squares = zeros();
  for (size_t k = 0; k < width; k += kLanes) squares = fma(load(x + k), load(x + k), squares);
  const float scale = 1.f / std::sqrt(sum(squares) / width + epsilon);
  for (size_t k = 0; k < width; k += kLanes) store(out + k, mul(mul(load(x + k), all(scale)), load(weight + k)));
  return scale;
}

// dx = through + the norm's gradient of dh: s w dh - x s^3 / width * sum(w dh x), s = 1 / sqrt(mean(x^2) + epsilon). `through` may be dx, or null.
NOMOAT_INLINE void normGradientRow(const float* x, const float* weight, const float* dh, size_t width, float epsilon,
                                   const float* through, float* dx) {
  Floats squares = zeros(), along = zeros();
  for (size_t k = 0; k < width; k += kLanes) {
    squares = fma(load(x + k), load(x + k), squares);
    along = fma(mul(load(weight + k), load(dh + k)), load(x + k), along);
  }
  const float s = 1.f / std::sqrt(sum(squares) / width + epsilon);
  const Floats direct = all(s), back = all(-sum(along) * s * s * s / width);
  for (size_t k = 0; k < width; k += kLanes) {
    const Floats rest = through ? load(through + k) : zeros();
    store(dx + k, fma(load(x + k), back, fma(mul(load(weight + k), load(dh + k)), direct, rest)));
  }
}

// The butterflies within sixteen lanes, unscaled.
NOMOAT_INLINE Floats hadamard16(Floats x) {
  alignas(64) static constexpr float signs[4][kLanes] = {{1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1},
                                                         {1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1},
                                                         {1, 1, 1, 1, -1, -1, -1, -1, 1, 1, 1, 1, -1, -1, -1, -1},
                                                         {1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1, -1}};
  x = fma(x, load(signs[0]), swapOnes(x));
  x = fma(x, load(signs[1]), swapTwos(x));
  x = fma(x, load(signs[2]), swapFours(x));
  return fma(x, load(signs[3]), swapEights(x));
}

// Each block of the row by H / sqrt(block), as src/graph/hadamard.ts; block is 16, 32 or 64. `from` may be `to`.
NOMOAT_INLINE void hadamardRow(const float* from, size_t width, size_t block, float* to) {
  const Floats scale = all(1.f / std::sqrt(static_cast<float>(block)));
  if (block == 64) {
    for (size_t k = 0; k < width; k += 64) {
      const Floats x0 = mul(load(from + k), scale), x1 = mul(load(from + k + 16), scale);
      const Floats x2 = mul(load(from + k + 32), scale), x3 = mul(load(from + k + 48), scale);
      const Floats a = add(x0, x1), b = sub(x0, x1), c = add(x2, x3), d = sub(x2, x3);
      store(to + k, hadamard16(add(a, c)));
      store(to + k + 16, hadamard16(add(b, d)));
      store(to + k + 32, hadamard16(sub(a, c)));
      store(to + k + 48, hadamard16(sub(b, d)));
    }
  } else if (block == 32) {
    for (size_t k = 0; k < width; k += 32) {
      const Floats x0 = mul(load(from + k), scale), x1 = mul(load(from + k + 16), scale);
      store(to + k, hadamard16(add(x0, x1)));
      store(to + k + 16, hadamard16(sub(x0, x1)));
    }
  } else {
    for (size_t k = 0; k < width; k += 16) store(to + k, hadamard16(mul(load(from + k), scale)));
  }
}

// The largest of 16, 32 and 64 that divides the width (src/graph/hadamard.ts).
NOMOAT_INLINE size_t hadamardBlock(size_t width) { return width % 64 == 0 ? 64 : width % 32 == 0 ? 32 : 16; }

// Halves of each head rotated by the row's angles [headDim / 2]; sign -1 rotates back (https://arxiv.org/abs/2104.09864).
NOMOAT_INLINE void ropeRow(float* x, size_t width, size_t headDim, const float* cos, const float* sin, float sign) {
  const size_t half = headDim / 2;
  for (size_t head = 0; head < width; head += headDim)
    for (size_t i = 0; i < half; i++) {
      float* first = x + head + i;
      const float a = first[0], b = first[half], s = sign * sin[i];
      first[0] = a * cos[i] - b * s;
      first[half] = a * s + b * cos[i];
    }
}

// out = silu(gate) * up.
NOMOAT_INLINE void gateRow(const float* gate, const float* up, size_t width, float* out) {
  for (size_t k = 0; k < width; k += kLanes) {
    const Floats g = load(gate + k);
    store(out + k, mul(mul(g, sigmoid(g)), load(up + k)));
  }
}

// From dy of silu(gate) * up the gradients of gate (where dy stood) and up.
NOMOAT_INLINE void gateGradientRow(const float* gate, const float* up, size_t width, float* dyThenGate, float* dUp) {
  for (size_t k = 0; k < width; k += kLanes) {
    const Floats g = load(gate + k), u = load(up + k), dy = load(dyThenGate + k);
    const Floats s = sigmoid(g), silu = mul(g, s);
    store(dUp + k, mul(dy, silu));
    store(dyThenGate + k, mul(mul(dy, u), fma(silu, sub(all(1), s), s)));
  }
}

NOMOAT_INLINE void mulRow(const float* a, const float* b, size_t width, float* out) {
  for (size_t k = 0; k < width; k += kLanes) store(out + k, mul(load(a + k), load(b + k)));
}
NOMOAT_INLINE void addRow(const float* a, const float* b, size_t width, float* out) {
  for (size_t k = 0; k < width; k += kLanes) store(out + k, add(load(a + k), load(b + k)));
}

}  // namespace nomoat
