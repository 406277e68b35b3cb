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

template <int kRows, int kVectors, bool kAdds>
void productColumns(size_t rows, Strided a, Rows<const float> b, Rows<float> c, size_t inner) {
  const auto from = [&](size_t i) { return Strided{a.data + i * a.row, a.row, a.column}; };
  size_t i = 0;
  for (; i + kRows <= rows; i += kRows) productTile<kRows, kVectors, kAdds>(from(i), b, c.from(i), inner);
  for (; i + 2 <= rows; i += 2) productTile<2, kVectors, kAdds>(from(i), b, c.from(i), inner);
  if (i < rows) productTile<1, kVectors, kAdds>(from(i), b, c.from(i), inner);
}

// C [rows, columns] (+)= A [rows, inner] B [inner, columns]; columns are a multiple of 16. Tiles of 6 x 64 and of 8 x 48 have 24 of 32
// registers of sixteen as sums, those of 6 x 16 twelve of sixteen registers of eight.
template <bool kAdds>
void product(size_t rows, size_t columns, size_t inner, Strided a, Rows<const float> b, Rows<float> c) {
  size_t n = 0;
  if constexpr (kManyRegisters) {
    for (; columns % 48 != 0 && n + 4 * kLanes <= columns; n += 4 * kLanes)
      productColumns<6, 4, kAdds>(rows, a, b.columns(n), c.columns(n), inner);
    for (; n + 3 * kLanes <= columns; n += 3 * kLanes) productColumns<8, 3, kAdds>(rows, a, b.columns(n), c.columns(n), inner);
  }
  constexpr int tileRows = kManyRegisters ? 8 : 6;
  for (; n < columns; n += kLanes) productColumns<tileRows, 1, kAdds>(rows, a, b.columns(n), c.columns(n), inner);
}

}  // namespace nomoat
