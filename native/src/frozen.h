// Frozen matrices, and their products with chunks of rows. Two arithmetics with one interface: Int8, as src/models/quantize.ts defines it,
// and Exact, the same in float32 and without rounding, which is what the rest of the kernels is checked with.
//
// Both directions read panels of 64 columns: panel p of W [inner, columns] holds its columns 64 p .. 64 p + 63, the inner index running
// slowest, so that a tile reads one stream. Columns beyond the last are zeros.
#pragma once
#include <type_traits>

#include "memory.h"
#include "rows.h"
#include "vector.h"

namespace nomoat {

constexpr size_t kPanel = 64;
constexpr int kTileRows = 6;  // Six rows by 64 columns are 24 of 32 registers of sums.

// x [rows, inner] times 64 columns, as floats that rows' and columns' scales are yet to come to.
template <int kRows>
using TileSums = Floats[kRows][4];

struct Int8 {
  using Code = uint8_t;     // of a row: value + 128
  using Weight = int8_t;
  static constexpr size_t kTogether = 4;  // values along the inner index that one instruction sums

  // Codes of a row and its scale, largest magnitude / 127; `columnScale` multiplies first, or is null.
  NOMOAT_INLINE float encode(const float* x, const float* columnScale, size_t width, Code* to) {
    Floats top = zeros();
    for (size_t k = 0; k < width; k += kLanes) {
      const Floats v = columnScale ? mul(load(x + k), load(columnScale + k)) : load(x + k);
      top = larger(top, magnitude(v));
    }
    // What is added keeps a row of zeros from dividing by zero (src/graph/onnx/emit/quantized.ts).
    const float scale = largest(top) * (1.f / 127) + 1e-30f;
    const Floats inverse = all(1.f / scale);
    for (size_t k = 0; k < width; k += kLanes) {
      const Floats v = columnScale ? mul(load(x + k), load(columnScale + k)) : load(x + k);
      const Ints code = _mm512_add_epi32(_mm512_cvtps_epi32(mul(v, inverse)), _mm512_set1_epi32(128));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + k), _mm512_cvtusepi32_epi8(_mm512_max_epi32(code, _mm512_setzero_si512())));
    }
    return scale;
  }

  // The instruction multiplies unsigned by signed, so sums begin at -128 times the sum of the column (`start`).
  template <int kRows>
  NOMOAT_INLINE void tile(Rows<const Code> x, const Weight* panel, const int32_t* start, size_t inner, TileSums<kRows>& out) {
    Ints sums[kRows][4];
    for (int j = 0; j < 4; j++)
      for (int i = 0; i < kRows; i++) sums[i][j] = _mm512_loadu_si512(start + kLanes * j);
    for (size_t k = 0; k < inner; k += 4, panel += 256) {
      Ints w[4];
      for (int j = 0; j < 4; j++) w[j] = _mm512_load_si512(panel + 64 * j);
#pragma clang loop unroll(full)
      for (int i = 0; i < kRows; i++) {
        int32_t four;
        std::memcpy(&four, x[i] + k, 4);
        const Ints a = _mm512_set1_epi32(four);
        for (int j = 0; j < 4; j++) sums[i][j] = _mm512_dpbusd_epi32(sums[i][j], a, w[j]);
      }
    }
    for (int i = 0; i < kRows; i++)
      for (int j = 0; j < 4; j++) out[i][j] = _mm512_cvtepi32_ps(sums[i][j]);
  }
};

struct Exact {
  using Code = float;
  using Weight = float;
  static constexpr size_t kTogether = 1;

  NOMOAT_INLINE float encode(const float* x, const float*, size_t width, Code* to) {
    std::memcpy(to, x, width * sizeof(float));
    return 1;
  }

  template <int kRows>
  NOMOAT_INLINE void tile(Rows<const Code> x, const Weight* panel, const int32_t*, size_t inner, TileSums<kRows>& out) {
    for (int i = 0; i < kRows; i++)
      for (int j = 0; j < 4; j++) out[i][j] = zeros();
    for (size_t k = 0; k < inner; k++, panel += 64) {
      Floats w[4];
      for (int j = 0; j < 4; j++) w[j] = load(panel + kLanes * j);
#pragma clang loop unroll(full)
      for (int i = 0; i < kRows; i++) {
        const Floats a = all(x[i][k]);
        for (int j = 0; j < 4; j++) out[i][j] = fma(a, w[j], out[i][j]);
      }
    }
  }
};

// One direction of a frozen matrix.
template <class Kind>
class Panels {
 public:
  // Element (k, n) of the matrix [inner, columns] stands at values[k * row + n * column].
  Panels(const typename Kind::Weight* values, size_t row, size_t column, size_t inner, size_t columns)
      : inner_(inner), columns_(columns), panels_(roundUp(columns, kPanel) * inner), starts_(roundUp(columns, kPanel)) {
    constexpr size_t together = Kind::kTogether;
    for (size_t n = 0; n < columns; n++) {
      typename Kind::Weight* panel = panels_.data() + n / kPanel * kPanel * inner;
      int32_t sum = 0;
      for (size_t k = 0; k < inner; k++) {
        const auto value = values[k * row + n * column];
        panel[k / together * kPanel * together + n % kPanel * together + k % together] = value;
        if constexpr (together > 1) sum += value;
      }
      starts_.data()[n] = -128 * sum;
    }
  }

  size_t inner() const { return inner_; }
  size_t columns() const { return columns_; }

  // out [rows, columns] (+)= codes * their rows' scales * this (* the columns' scales, where not null).
  template <bool kAdds>
  void times(size_t rows, Rows<const typename Kind::Code> codes, const float* rowScales, const float* columnScales,
             Rows<float> out) const {
    timesColumns<kAdds>({0, columns_}, rows, codes, rowScales, columnScales, out);
  }

  struct Span {
    size_t first, end;
  };

  // The same of some columns alone, the first a multiple of 64, to `out` [rows, those columns].
  template <bool kAdds>
  void timesColumns(Span span, size_t rows, Rows<const typename Kind::Code> codes, const float* rowScales,
                    const float* columnScales, Rows<float> out) const {
    for (size_t n = span.first; n < span.end; n += kPanel) {
      const Part part{n, 0, inner_, starts_.data() + n};
      const size_t columns = span.end - n < kPanel ? span.end - n : kPanel;
      const float* scales = columnScales ? columnScales + n : nullptr;
      eachTile(rows, [&](auto tileRows, size_t i) {
        constexpr int kRows = decltype(tileRows)::value;
        TileSums<kRows> sums;
        tileOf<kRows>(part, codes.from(i), sums);
        finish<kRows, kAdds>(sums, columns, rowScales + i, scales, out.from(i).columns(n - span.first));
      });
    }
  }

  // out [rows, columns] += codes [rows, some] * the rows [span) of this, the first a multiple of 4; of Int8 the codes are 0 to 255, without
  // an offset, and no scales are applied.
  void timesRows(Span span, size_t rows, Rows<const typename Kind::Code> codes, const float* ones, Rows<float> out) const {
    static constexpr int32_t none[kPanel] = {};
    for (size_t n = 0; n < columns_; n += kPanel) {
      const Part part{n, span.first, span.end - span.first, none};
      const size_t columns = columns_ - n < kPanel ? columns_ - n : kPanel;
      eachTile(rows, [&](auto tileRows, size_t i) {
        constexpr int kRows = decltype(tileRows)::value;
        TileSums<kRows> sums;
        tileOf<kRows>(part, codes.from(i), sums);
        finish<kRows, true>(sums, columns, ones, nullptr, out.from(i).columns(n));
      });
    }
  }

  // Row k of this, times a factor.
  void row(size_t k, float factor, float* out) const {
    constexpr size_t together = Kind::kTogether;
    for (size_t n = 0; n < columns_; n++)
      out[n] = factor * panels_.data()[n / kPanel * kPanel * inner_ + k / together * kPanel * together + n % kPanel * together + k % together];
  }

 private:
  template <int kRows, bool kAdds>
  NOMOAT_INLINE void finish(const TileSums<kRows>& sums, size_t columns, const float* rowScales, const float* columnScales,
                            Rows<float> out) {
#pragma clang loop unroll(full)
    for (size_t j = 0; j < 4; j++) {
      if (j * kLanes >= columns) break;
      const Floats column = columnScales ? load(columnScales + kLanes * j) : all(1);
      for (int i = 0; i < kRows; i++) {
        float* to = out[i] + kLanes * j;
        const Floats value = mul(sums[i][j], mul(all(rowScales[i]), column));
        store(to, kAdds ? add(value, load(to)) : value);
      }
    }
  }

  // Rows [first, first + count) of the panel of columns n .. n + 63, and what their sums begin with.
  struct Part {
    size_t n, first, count;
    const int32_t* start;
  };

  template <int kRows>
  NOMOAT_INLINE_MEMBER void tileOf(const Part& part, Rows<const typename Kind::Code> codes, TileSums<kRows>& sums) const {
    Kind::template tile<kRows>(codes, panels_.data() + part.n * inner_ + part.first * kPanel, part.start, part.count, sums);
  }

  // Calls tile(its rows as a constant, its first row) for tiles of 6 rows, and of 4, 2 and 1 for what is left.
  template <class Tile>
  NOMOAT_INLINE void eachTile(size_t rows, Tile&& tile) {
    size_t i = 0;
    for (; i + kTileRows <= rows; i += kTileRows) tile(std::integral_constant<int, kTileRows>{}, i);
    if (i + 4 <= rows) tile(std::integral_constant<int, 4>{}, i), i += 4;
    if (i + 2 <= rows) tile(std::integral_constant<int, 2>{}, i), i += 2;
    if (i < rows) tile(std::integral_constant<int, 1>{}, i);
  }

  size_t inner_, columns_;
  Array<typename Kind::Weight> panels_;
  Array<int32_t> starts_;
};

// W for x W^T: [in, out] forward, [out, in] backward, and the scale of each output column (Int8 only).
template <class Kind>
struct Frozen {
  Panels<Kind> forward, backward;
  Array<float> scale, logScale;
  const float* scales() const { return scale.data(); }
};

}  // namespace nomoat
