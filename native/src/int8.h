// The arithmetic of src/models/quantize.ts: rows as codes of eight bits, products with frozen weights of eight bits, summed exactly. One header a set
// of instructions; the sums, and so all results, are the same.
#pragma once
#include "memory.h"
#include "vector.h"

namespace nomoat {

constexpr size_t kPanel = 64;
constexpr int kTileRows = 6;  // Six rows by 64 columns are 24 sums of sixteen.

// x [rows, inner] times 64 columns, as floats that rows' and columns' scales are yet to come to.
template <int kRows>
using TileSums = Floats[kRows][4];

}  // namespace nomoat

// Each has Int8: Code, of a row; Weight; kTogether, values along the inner index that one instruction sums; kOffset, what codes of rows are more than
// their values, which the sums of a column begin with; storeCodes, sixteen rounded values, ties to even, and storeLevels, the same between 0 and 255,
// without the offset; tile; and turn: sixteen columns of a panel, in groups of kTogether rows, as sixteen rows of the turned panel, rows beyond `groups`
// zeros (Panels::panelOf).
#if defined(__AVXVNNI__) || defined(NOMOAT_VNNI_256)
#include "int8-vnni.h"
#elif defined(__AVX512VNNI__)
#include "int8-avx512.h"
#elif defined(__AVX2__)
#include "int8-avx2.h"
#else
#include "int8-neon.h"
#endif
