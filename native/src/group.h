// Projections that read one input, x W^T + (dropout(x) A^T) B^T each (projectionGroups of src/models/block-options.ts), both ways.
#pragma once
#include <vector>

#include "arguments.h"
#include "frozen.h"
#include "products.h"
#include "shape.h"

namespace nomoat {

// Memory of one thread for one chunk.
template <class Kind>
struct GroupScratch {
  Array<float> masked, row, low, dLow, lowGradient, scales;
  Array<typename Kind::Code> codes;
};

template <class Kind>
class Group {
 public:
  struct Member {
    std::string name;
    size_t out;
    unsigned bit;
  };
  using Codes = Rows<typename Kind::Code>;

  Group(const Arguments& arguments, const Shape& shape, const std::string& name, size_t in, std::vector<Member> members, size_t rows)
      : in_(in), rank_(shape.rank), members_(std::move(members)) {
    constexpr auto kind = std::is_same_v<Kind, Int8> ? Handle::kInt8 : Handle::kExact;
    size_t adapted = 0;
    for (const Member& member : members_) {
      frozen_.push_back(&arguments.matrix<Frozen<Kind>>(member.name + ".packed", kind, in, member.out));
      place_.push_back(shape.targets >> member.bit & 1 ? static_cast<int>(adapted++) : -1);
    }
    stride_ = roundUp(rank_, kLanes);
    low_ = stride_ * adapted;
    if (adapted == 0) return;
    mask_ = shape.dropout ? arguments.floats("mask." + name, rows * in) : nullptr;
    a_ = arguments.floats("lora_A." + name, adapted * rank_ * in);
    transposeA();
    for (size_t j = 0; j < members_.size(); j++)
      if (place_[j] >= 0) arrangeB(arguments.floats(members_[j].name + ".lora_B", members_[j].out * rank_), members_[j].out);
      else b_.emplace_back(), bTransposed_.emplace_back();
  }

  size_t size() const { return members_.size(); }
  size_t out(size_t member) const { return members_[member].out; }

  // Rows [first, first + rows) of the micro-batch: x [rows, in] -> a matrix a member.
  void forward(size_t first, size_t rows, Rows<const float> x, const Rows<float>* outs, GroupScratch<Kind>& scratch) const {
    const Codes codes = codesOf(rows, in_, scratch);
    float* row = scratch.row.take(in_);
    for (size_t i = 0; i < rows; i++) {
      const float* source = x[i];
      if constexpr (std::is_same_v<Kind, Int8>) hadamardRow(source, in_, hadamardBlock(in_), row), source = row;
      scratch.scales.data()[i] = encode<Kind>(source, nullptr, in_, codes[i]);
    }
    const Rows<float> low = low_ > 0 ? lowOf(first, rows, x, scratch) : Rows<float>{};
    for (size_t j = 0; j < members_.size(); j++) {
      frozen_[j]->forward.template times<false>(rows, as(codes), scratch.scales.data(), scales(j), outs[j]);
      if (place_[j] < 0) continue;
      const Rows<const float> b{bTransposed_[j].data(), out(j)};
      product<true>(rows, out(j), rank_, {low.data + place_[j] * stride_, low_, 1}, b, outs[j]);
    }
  }

  // Gradients of a chunk's outputs -> that of x (where asked for), and the adapter's, which are added to a lane's sums.
  void backward(size_t first, size_t rows, Rows<const float> x, const Rows<const float>* dOuts, Rows<float> dx, size_t lane,
                GroupScratch<Kind>& scratch) {
    if (dx.data) {
      for (size_t j = 0; j < members_.size(); j++) {
        const Codes codes = codesOf(rows, out(j), scratch);
        for (size_t i = 0; i < rows; i++)
          scratch.scales.data()[i] = encode<Kind>(dOuts[j][i], scales(j), out(j), codes[i]);
        const auto& panels = frozen_[j]->backward;
        if (j == 0) panels.template times<false>(rows, as(codes), scratch.scales.data(), nullptr, dx);
        else panels.template times<true>(rows, as(codes), scratch.scales.data(), nullptr, dx);
      }
      if constexpr (std::is_same_v<Kind, Int8>)
        for (size_t i = 0; i < rows; i++) hadamardRow(dx[i], in_, hadamardBlock(in_), dx[i]);
    }
    if (low_ > 0) backwardOfAdapter(first, rows, x, dOuts, dx, lane, scratch);
  }

  // Room for the gradients' sums, zeros.
  void beginGradients() {
    if (low_ == 0) return;
    sumsA_.take(kGradientLanes * low_ * in_);
    for (size_t j = 0; j < members_.size(); j++)
      sumsB_.emplace_back(place_[j] < 0 ? 0 : kGradientLanes * stride_ * out(j));
  }

  // Writes the sums of all lanes, in their order, where the graphs write theirs: A's in one, B's a member.
  void finishGradients(const Arguments& arguments, const std::string& name) {
    if (low_ == 0) return;
    size_t adapted = low_ / stride_;
    float* dA = arguments.floats("d.lora_A." + name, adapted * rank_ * in_);
    for (size_t r = 0; r < adapted * rank_; r++) {
      const float* from = sumsA_.data() + (r / rank_ * stride_ + r % rank_) * in_;
      for (size_t k = 0; k < in_; k += kLanes) store(dA + r * in_ + k, lanesAt(from + k, low_ * in_));
    }
    for (size_t j = 0; j < members_.size(); j++) {
      if (place_[j] < 0) continue;
      float* dB = arguments.floats("d." + members_[j].name + ".lora_B", out(j) * rank_);
      alignas(64) float values[kLanes];
      for (size_t r = 0; r < rank_; r++)
        for (size_t n = 0; n < out(j); n += kLanes) {
          store(values, lanesAt(sumsB_[j].data() + r * out(j) + n, stride_ * out(j)));
          for (size_t i = 0; i < kLanes; i++) dB[(n + i) * rank_ + r] = values[i];
        }
    }
  }

 private:
  static Rows<const typename Kind::Code> as(const Codes& codes) { return codes; }
  const float* scales(size_t member) const { return frozen_[member]->scales(); }

  static Codes codesOf(size_t rows, size_t width, GroupScratch<Kind>& scratch) {
    scratch.scales.take(kChunk);
    // An odd number of cache lines apart, or all rows' beginnings fall into the same sets of the cache.
    const size_t stride = roundUp(width, 128) + 64;
    return {scratch.codes.take(rows * stride), stride};
  }

  // [in, low] of the A matrices one beside the other, and B as [out, stride] and [rank, out]; what is beyond the rank is zero.
  void transposeA() {
    float* to = aTransposed_.take(in_ * low_);
    for (size_t r = 0; r < low_ / stride_ * rank_; r++)
      for (size_t k = 0; k < in_; k++) to[k * low_ + r / rank_ * stride_ + r % rank_] = a_[r * in_ + k];
  }
  void arrangeB(const float* from, size_t out) {
    Array<float> rows(out * stride_), turned(rank_ * out);
    for (size_t n = 0; n < out; n++)
      for (size_t r = 0; r < rank_; r++) rows.data()[n * stride_ + r] = turned.data()[r * out + n] = from[n * rank_ + r];
    b_.push_back(std::move(rows));
    bTransposed_.push_back(std::move(turned));
  }

  // x as A sees it.
  Rows<const float> dropped(size_t first, size_t rows, Rows<const float> x, GroupScratch<Kind>& scratch) const {
    if (!mask_) return x;
    const Rows<float> masked{scratch.masked.take(kChunk * in_), in_};
    for (size_t i = 0; i < rows; i++) mulRow(x[i], mask_ + (first + i) * in_, in_, masked[i]);
    return masked;
  }
  Rows<float> lowOf(size_t first, size_t rows, Rows<const float> x, GroupScratch<Kind>& scratch) const {
    const Rows<const float> seen = dropped(first, rows, x, scratch);
    const Rows<float> low{scratch.low.take(kChunk * low_), low_};
    product<false>(rows, low_, in_, {seen.data, seen.stride, 1}, {aTransposed_.data(), low_}, low);
    return low;
  }

  void backwardOfAdapter(size_t first, size_t rows, Rows<const float> x, const Rows<const float>* dOuts, Rows<float> dx, size_t lane,
                         GroupScratch<Kind>& scratch) {
    const Rows<float> low = lowOf(first, rows, x, scratch);
    const Rows<float> dLow{scratch.dLow.take(kChunk * low_), low_};
    for (size_t j = 0; j < members_.size(); j++) {
      if (place_[j] < 0) continue;
      const size_t at = place_[j] * stride_;
      product<false>(rows, stride_, out(j), {dOuts[j].data, dOuts[j].stride, 1}, {b_[j].data(), stride_}, dLow.columns(at));
      const Rows<float> sums{sumsB_[j].data() + lane * stride_ * out(j), out(j)};
      product<true>(stride_, out(j), rows, {low.data + at, 1, low_}, dOuts[j], sums);
    }
    const Rows<const float> seen = mask_ ? Rows<const float>{scratch.masked.data(), in_} : x;
    const Rows<float> sums{sumsA_.data() + lane * low_ * in_, in_};
    product<true>(low_, in_, rows, {dLow.data, 1, low_}, seen, sums);
    if (dx.data) addLowGradient(first, rows, dLow, dx, scratch);
  }

  // dx += mask * (dLow A).
  void addLowGradient(size_t first, size_t rows, Rows<float> dLow, Rows<float> dx, GroupScratch<Kind>& scratch) const {
    const size_t adapted = low_ / stride_;
    const Rows<float> own = mask_ ? Rows<float>{scratch.lowGradient.take(kChunk * in_), in_} : dx;
    if (mask_) std::memset(own.data, 0, rows * in_ * sizeof(float));
    for (size_t j = 0; j < adapted; j++)
      product<true>(rows, in_, rank_, {dLow.data + j * stride_, low_, 1}, {a_ + j * rank_ * in_, in_}, own);
    if (!mask_) return;
    for (size_t i = 0; i < rows; i++) {
      mulRow(own[i], mask_ + (first + i) * in_, in_, own[i]);
      addRow(dx[i], own[i], in_, dx[i]);
    }
  }

  static Floats lanesAt(const float* from, size_t lane) {
    Floats total = load(from);
    for (size_t i = 1; i < kGradientLanes; i++) total = add(total, load(from + i * lane));
    return total;
  }

  size_t in_, rank_, stride_ = 0, low_ = 0;
  std::vector<Member> members_;
  std::vector<const Frozen<Kind>*> frozen_;
  std::vector<int> place_;  // of a member among the adapted ones, or -1
  const float* mask_ = nullptr;
  const float* a_ = nullptr;
  Array<float> aTransposed_, sumsA_;
  std::vector<Array<float>> b_, bTransposed_, sumsB_;
};

}  // namespace nomoat
