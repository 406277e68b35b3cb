// Frozen matrices, held once for both directions in Int8, and their products with chunks of rows. Two arithmetics with one interface: Int8 (int8.h)
// and Exact, the same in float32 and without rounding, which is what the rest of the kernels is checked with.
//
// Both directions read panels of 64 columns: panel p of W [inner, columns] holds its columns 64 p .. 64 p + 63, the inner index running
// slowest, so that a tile reads one stream. Columns beyond the last are zeros.
#pragma once
#include <type_traits>

#include "int8.h"
#include "rows.h"

namespace nomoat {

struct Exact {
  using Code = float;
  using Weight = float;
  static constexpr size_t kTogether = 1;

  template <int kRows>
  NOMOAT_INLINE void tile(Rows<const Code> x, const Weight* panel, const int32_t*, size_t inner, TileSums<kRows>& out) {
    constexpr int together = kManyRegisters ? 4 : 1;
    for (int first = 0; first < 4; first += together) {
      Floats sums[kRows][together];
      for (int i = 0; i < kRows; i++)
        for (int j = 0; j < together; j++) sums[i][j] = zeros();
      const Weight* from = panel + kLanes * first;
      for (size_t k = 0; k < inner; k++, from += kPanel) {
        Floats w[together];
        for (int j = 0; j < together; j++) w[j] = load(from + kLanes * j);
#pragma clang loop unroll(full)
        for (int i = 0; i < kRows; i++) {
          const Floats a = all(x[i][k]);
          for (int j = 0; j < together; j++) sums[i][j] = fma(a, w[j], sums[i][j]);
        }
      }
      for (int i = 0; i < kRows; i++)
        for (int j = 0; j < together; j++) out[i][first + j] = sums[i][j];
    }
  }
};

// Codes of a row and its scale, in Int8 the largest magnitude / 127; `columnScale` multiplies first, or is null.
template <class Kind>
NOMOAT_INLINE float encode(const float* x, const float* columnScale, size_t width, typename Kind::Code* to) {
  if constexpr (!std::is_same_v<Kind, Int8>) {
    std::memcpy(to, x, width * sizeof(float));
    return 1;
  } else {
    const auto scaled = [&](size_t k) { return columnScale ? mul(load(x + k), load(columnScale + k)) : load(x + k); };
    Floats top = zeros();
    for (size_t k = 0; k < width; k += kLanes) top = larger(top, magnitude(scaled(k)));
    // What is added keeps a row of zeros from dividing by zero (src/graph/onnx/emit/quantized.ts).
    const float scale = largest(top) * (1.f / 127) + 1e-30f;
    const Floats inverse = all(1.f / scale);
    for (size_t k = 0; k < width; k += kLanes) Int8::storeCodes(mul(scaled(k), inverse), to + k);
    return scale;
  }
}

// A matrix [inner, columns] as it came: element (k, n) stands at values[k * row + n * column], and one of the two is 1.
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

  // Where the panels lie: in memory of their own, over the values that they are made of, or nowhere, each chunk turning a panel of the other direction
  // when it comes to it: a twentieth of the time, for half the memory.
  enum class Place { kOwn, kOver, kTurned };

  // Takes all memory that is wanted; what makes the panels then cannot fail halfway.
  Panels(size_t inner, size_t columns, Place place) : inner_(inner), columns_(columns), turned_(place == Place::kTurned) {
    starts_.take(roundUp(columns, kPanel));
    // Over the values only where they take as much room.
    if (place == Place::kOwn || (place == Place::kOver && columns % kPanel != 0)) own_.take(length());
  }

  // Values of all panels, of which `arrange` wants so many to work in where they have none of their own.
  size_t length() const { return roundUp(columns_, kPanel) * inner_; }

  void arrange(const Plain<Kind>& from, Weight* scratch) noexcept {
    constexpr size_t together = Kind::kTogether;
    Weight* panels = own_.data() ? own_.data() : scratch;
    for (size_t first = 0; first < columns_; first += kPanel) {
      Weight* panel = panels + first * inner_;
      const size_t count = columns_ - first < kPanel ? columns_ - first : kPanel;
      // Widths are multiples of a vector's, and so of `together`.
      for (size_t k = 0; k < inner_; k += together) {
        const Weight* rows = from.values + k * from.row + first * from.column;
        Weight* to = panel + k * kPanel;
        if (from.column == 1)
          sideBySide(rows, from.row, count, to);
        else
          for (size_t n = 0; n < count; n++)
            for (size_t j = 0; j < together; j++) to[n * together + j] = rows[j * from.row + n * from.column];
      }
    }
    begin(from);
    if (panels == scratch) std::memcpy(from.values, panels, length() * sizeof(Weight));
    panels_ = panels == scratch ? from.values : panels;
  }

  // The same for panels that are turned, before and after the other direction's `arrange`.
  void begin(const Plain<Kind>& from) noexcept {
    if constexpr (std::is_same_v<Kind, Int8>) {
      if (Int8::kOffset == 0) return;
      int32_t* starts = starts_.data();
      // Along the values as they lie.
      if (from.column == 1) {
        for (size_t k = 0; k < from.inner; k++)
          for (size_t n = 0; n < from.columns; n++) starts[n] -= Int8::kOffset * from.values[k * from.row + n];
        return;
      }
      for (size_t n = 0; n < from.columns; n++) {
        const Weight* column = from.values + n * from.column;
        int32_t sum = 0;
        for (size_t k = 0; k < from.inner; k++) sum += column[k];
        starts[n] -= Int8::kOffset * sum;
      }
    }
  }
  void turn(const Panels& other) noexcept { panels_ = other.panels_; }

  bool ownsMemory() const { return own_.data() != nullptr; }
  bool isTurned() const { return turned_; }
  // The panels lie elsewhere now.
  void moveTo(const Weight* panels) noexcept { panels_ = panels; }

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
    for (size_t n = 0; n < columns_; n += kPanel) {
      alignas(64) int32_t start[kPanel] = {};
      const Part part{panelOf(n) + span.first * kPanel, span.end - span.first, start};
      if constexpr (std::is_same_v<Kind, Int8>) Int8::levelStart(part.panel, part.count, start);
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
  // `together` rows of columns that lie side by side, column by column: as words, of which a compiler makes many at once.
  NOMOAT_INLINE void sideBySide(const Weight* rows, size_t row, size_t count, Weight* to) {
    constexpr size_t together = Kind::kTogether;
    if constexpr (together == 1) {
      std::memcpy(to, rows, count * sizeof(Weight));
    } else {
      using Word = std::conditional_t<together == 4, uint32_t, uint16_t>;
      for (size_t n = 0; n < count; n++) {
        Word word = 0;
        for (size_t j = 0; j < together; j++) word |= static_cast<Word>(static_cast<Word>(static_cast<uint8_t>(rows[j * row + n])) << 8 * j);
        std::memcpy(to + n * together, &word, sizeof(Word));
      }
    }
  }

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
      constexpr size_t together = Int8::kTogether;
      const size_t groups = (columns_ - n < kPanel ? columns_ - n : kPanel) / together;
      // Of the other direction's panel of columns i .. i + 63, where this one's inner index is i, the groups of rows n .. n + 63.
      for (size_t i = 0; i < inner_; i += kLanes)
        Int8::turn(panels_ + i / kPanel * kPanel * columns_ + n * kPanel + i % kPanel * together, groups, to + i * kPanel);
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
