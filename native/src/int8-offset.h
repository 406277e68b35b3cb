// What the products of VNNI have in common, whatever their width: one factor is without sign, so codes of rows are kept with an offset.
#pragma once

namespace nomoat {

struct OffsetCodes {
  using Code = uint8_t;  // of a row: value + 128
  using Weight = int8_t;
  static constexpr size_t kTogether = 4;
  static constexpr int32_t kOffset = 128;
  static constexpr Code kNoLevel = 0;

  NOMOAT_INLINE void levelStart(const Weight*, size_t, int32_t*) {}
};

}  // namespace nomoat
