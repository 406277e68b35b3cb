// Products of float matrices with few columns or rows, as LoRA has them: C (+)= A B, A read by any strides.
#pragma once
#include "memory.h"
#include "vector.h"

namespace nomoat {

// A matrix whose element (i, k) stands at data[i * row + k * column]: the transposed one is the same with the strides exchanged.
struct Strided {
  const float* data;
  size_t row, column;
};

// One tile: rows kRows, columns 16 * kVectors, sums over k in order. `kAdds`: to what stands in C.
template <int kRows, int kVectors, bool kAdds>
NOMOAT_INLINE void productTile(Strided a, Rows<const float> b, Rows<float> c, size_t inner) {
  Floats sums[kRows][kVectors];
  for (int i = 0; i < kRows; i++)
    for (int j = 0; j < kVectors; j++) sums[i][j] = kAdds ? load(c[i] + kLanes * j) : zeros();
  for (size_t k = 0; k < inner; k++) {
    Floats row[kVectors];
    for (int j = 0; j < kVectors; j++) row[j] = load(b[k] + kLanes * j);
#pragma clang loop unroll(full)
    for (int i = 0; i < kRows; i++) {
      const Floats factor = all(a.data[i * a.row + k * a.column]);
      for (int j = 0; j < kVectors; j++) sums[i][j] = fma(factor, row[j], sums[i][j]);
    }
  }
  for (int i = 0; i < kRows; i++)
    for (int j = 0; j < kVectors; j++) store(c[i] + kLanes * j, sums[i][j]);
}

template <int kVectors, bool kAdds>
void productColumns(size_t rows, Strided a, Rows<const float> b, Rows<float> c, size_t inner) {
  size_t i = 0;
  for (; i + 8 <= rows; i += 8)
    productTile<8, kVectors, kAdds>({a.data + i * a.row, a.row, a.column}, b, c.from(i), inner);
  for (; i < rows; i++) productTile<1, kVectors, kAdds>({a.data + i * a.row, a.row, a.column}, b, c.from(i), inner);
}

// C [rows, columns] (+)= A [rows, inner] B [inner, columns]; columns are a multiple of 16.
template <bool kAdds>
void product(size_t rows, size_t columns, size_t inner, Strided a, Rows<const float> b, Rows<float> c) {
  size_t n = 0;
  for (; n + 3 * kLanes <= columns; n += 3 * kLanes) productColumns<3, kAdds>(rows, a, b.columns(n), c.columns(n), inner);
  for (; n < columns; n += kLanes) productColumns<1, kAdds>(rows, a, b.columns(n), c.columns(n), inner);
}

}  // namespace nomoat
