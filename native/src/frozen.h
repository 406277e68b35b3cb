// Frozen matrices, held once for both directions in Int8, and their products with chunks of rows. Two arithmetics with one interface: Int8, as src/models/quantize.ts defines it,
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

// Sixteen columns of a panel, in groups of four rows 256 bytes apart, as sixteen rows of the turned one: to[(n / 4) * 256 + k * 4 + n % 4] = column n
// of row k. Rows beyond `groups` are zeros.
NOMOAT_INLINE void turnGroups(const int8_t* from, size_t groups, int8_t* to) {
  const Ints order = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  for (size_t g = 0; g < kPanel / 4; g += 4, to += 64) {
    Ints s[4];
    for (size_t i = 0; i < 4; i++)
      s[i] = g + i < groups ? _mm512_shuffle_epi8(_mm512_loadu_si512(from + (g + i) * 256), order) : _mm512_setzero_si512();
    const Ints low01 = _mm512_shuffle_i32x4(s[0], s[1], 0x44), high01 = _mm512_shuffle_i32x4(s[0], s[1], 0xEE);
    const Ints low23 = _mm512_shuffle_i32x4(s[2], s[3], 0x44), high23 = _mm512_shuffle_i32x4(s[2], s[3], 0xEE);
    _mm512_storeu_si512(to, _mm512_shuffle_i32x4(low01, low23, 0x88));
    _mm512_storeu_si512(to + 256, _mm512_shuffle_i32x4(low01, low23, 0xDD));
    _mm512_storeu_si512(to + 512, _mm512_shuffle_i32x4(high01, high23, 0x88));
    _mm512_storeu_si512(to + 768, _mm512_shuffle_i32x4(high01, high23, 0xDD));
  }
}

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
      for (int j = 0; j < 4; j++) w[j] = _mm512_loadu_si512(panel + 64 * j);
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

// A matrix [inner, columns] as it came: element (k, n) stands at values[k * row + n * column].
template <class Kind>
struct Plain {
  typename Kind::Weight* values;
  size_t row, column, inner, columns;
  Plain transposed() const { return {values, column, row, columns, inner}; }
};

// One direction of a frozen matrix.
template <class Kind>
class Panels {
 public:
  using Weight = typename Kind::Weight;

  // `inPlace`: the panels are written over the values, where they take as much memory.
  Panels(const Plain<Kind>& from, bool inPlace) : inner_(from.inner), columns_(from.columns) {
    constexpr size_t together = Kind::kTogether;
    const size_t length = roundUp(columns_, kPanel) * inner_;
    starts_.take(roundUp(columns_, kPanel));
    Array<Weight> panels(length);
    for (size_t n = 0; n < columns_; n++) {
      Weight* panel = panels.data() + n / kPanel * kPanel * inner_ + n % kPanel * together;
      const Weight* column = from.values + n * from.column;
      int32_t sum = 0;
      for (size_t k = 0; k < inner_; k++) {
        const Weight value = column[k * from.row];
        panel[k / together * kPanel * together + k % together] = value;
        if constexpr (together > 1) sum += value;
      }
      starts_.data()[n] = -128 * sum;
    }
    if (inPlace && length == inner_ * columns_) {
      std::memcpy(from.values, panels.data(), length * sizeof(Weight));
      panels_ = from.values;
    } else {
      own_ = std::move(panels);
      panels_ = own_.data();
    }
  }

  // The other direction of `turned`, of which each chunk turns a panel when it comes to it: a twentieth of the time, for half the memory.
  // `starts` are of `sumColumns`, from before `turned` was written over the values.
  Panels(const Panels& turned, Array<int32_t>&& starts, size_t inner, size_t columns)
      : inner_(inner), columns_(columns), turned_(true), panels_(turned.panels_), starts_(std::move(starts)) {}

  // -128 times the sum of each column.
  static void sumColumns(const Plain<Kind>& from, int32_t* starts) {
    for (size_t n = 0; n < from.columns; n++) {
      int32_t sum = 0;
      for (size_t k = 0; k < from.inner; k++) sum += from.values[k * from.row + n * from.column];
      starts[n] = -128 * sum;
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
      const Part part{panelOf(n), inner_, starts_.data() + n};
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
      const Part part{panelOf(n) + span.first * kPanel, span.end - span.first, none};
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
      out[n] = factor * panels_[n / kPanel * kPanel * inner_ + k / together * kPanel * together + n % kPanel * together + k % together];
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

  // Some rows of a panel, and what their sums begin with.
  struct Part {
    const Weight* panel;
    size_t count;
    const int32_t* start;
  };

  // The panel of columns n .. n + 63.
  const Weight* panelOf(size_t n) const {
    if (!turned_) return panels_ + n * inner_;
    if constexpr (std::is_same_v<Kind, Int8>) {
      thread_local Array<Weight> scratch;
      Weight* to = scratch.take(inner_ * kPanel);
      const size_t groups = columns_ - n < kPanel ? (columns_ - n) / 4 : kPanel / 4;
      // Of the other direction's panel of columns i .. i + 63, where this one's inner index is i, the groups of four rows n .. n + 63.
      for (size_t i = 0; i < inner_; i += kLanes)
        turnGroups(panels_ + i / kPanel * kPanel * columns_ + n * kPanel + i % kPanel * 4, groups, to + i * kPanel);
      return to;
    }
    return nullptr;
  }

  template <int kRows>
  NOMOAT_INLINE_MEMBER void tileOf(const Part& part, Rows<const typename Kind::Code> codes, TileSums<kRows>& sums) const {
    Kind::template tile<kRows>(codes, part.panel, part.start, part.count, sums);
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
  bool turned_ = false;
  const Weight* panels_ = nullptr;
  Array<Weight> own_;
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
