// Attention in tiles of keys, with the softmax brought up to date tile by tile (FlashAttention, https://arxiv.org/abs/2205.14135), so that no
// [rows, rows] is ever held. Query heads that share a key head are folded into rows: row g * queries + i is query i of the group's head g.
#include <algorithm>
#include <vector>

#include "arguments.h"
#include "chunks.h"
#include "products.h"
#include "stages.h"

namespace nomoat {
namespace {

// Queries of an item forward and of a step backward, and keys of a tile: what is at work fits into the second-level cache.
constexpr size_t kQueries = 32;
constexpr size_t kKeys = 64;
// Below every score, and finite.
constexpr float kNone = -1e30f;

struct Range {
  int32_t segment, first, end, own, seenFirst, seenEnd;
};

struct Sizes {
  size_t rows, heads, keyHeads, group, headDim, queryWidth, keyWidth;
  float factor;
  int threads;
  std::vector<Range> ranges;
  std::vector<size_t> segments;  // the first range of each, and their number

  Sizes(const Arguments& arguments, const Shape& s, size_t count)
      : rows(count), heads(s.queryWidth / s.headDim), keyHeads(s.keyWidth / s.headDim), group(heads / keyHeads), headDim(s.headDim),
        queryWidth(s.queryWidth), keyWidth(s.keyWidth), factor(1.f / std::sqrt(static_cast<float>(s.headDim))), threads(s.threads) {
    size_t length = 0;
    const auto* from = reinterpret_cast<const Range*>(arguments.integers("ranges", length));
    ranges.assign(from, from + length / 6);
    int32_t covered = 0, segment = -1;
    for (const Range& r : ranges) {
      const bool inside = 0 <= r.seenFirst && r.seenFirst <= r.seenEnd && r.seenEnd <= r.own && r.own <= r.first;
      if (!inside || r.first != covered || r.end <= r.first || r.segment < segment)
        throw std::runtime_error("native stage: ranges out of order");
      if (r.segment != segment) segments.push_back(&r - ranges.data());
      covered = r.end;
      segment = r.segment;
    }
    if (covered != static_cast<int32_t>(rows)) throw std::runtime_error("native stage: ranges do not cover the rows");
    segments.push_back(ranges.size());
  }
  size_t firstRow(size_t segment) const { return ranges[segments[segment]].first; }
};

// Some queries of a range, with the heads of one key head.
struct Block {
  const Range& range;
  size_t first, queries, keyHead;
};

struct Tile {
  size_t first, count;
  bool causal;  // key k is seen by query n if k <= n
};

// Tiles of the keys that any query of the block sees, in order.
template <class Work>
void eachTile(const Block& block, Work&& work) {
  const auto through = [&](size_t first, size_t end, bool causal) {
    for (; first < end; first += kKeys) work(Tile{first, std::min(kKeys, end - first), causal});
  };
  through(block.range.seenFirst, block.range.seenEnd, false);
  through(block.range.own, block.first + block.queries, true);
}

// Keys of the tile that query n sees, the first ones.
size_t seenOf(const Tile& tile, size_t n) {
  if (!tile.causal) return tile.count;
  return n < tile.first ? 0 : std::min(tile.count, n - tile.first + 1);
}

// to [headDim, kKeys] = a tile's rows of k or v, turned; what is beyond its keys is of no account, and finite.
void turn(const Sizes& s, const float* from, const Tile& tile, size_t keyHead, float* to) {
  const float* head = from + keyHead * s.headDim;
  float last[kLanes * 256];
  for (size_t n = 0; n < tile.count; n += kLanes) {
    const float* rows = head + (tile.first + n) * s.keyWidth;
    size_t stride = s.keyWidth;
    if (tile.count - n < kLanes) {
      for (size_t i = 0; i < kLanes; i++) {
        const bool real = n + i < tile.count;
        if (real) std::memcpy(last + i * s.headDim, rows + i * s.keyWidth, s.headDim * sizeof(float));
        else std::memset(last + i * s.headDim, 0, s.headDim * sizeof(float));
      }
      rows = last;
      stride = s.headDim;
    }
    for (size_t k = 0; k < s.headDim; k += kLanes) transpose16(rows + k, stride, to + k * kKeys + n, kKeys);
  }
}

// to [group * queries, headDim] = the block's rows of q or d.o, times a factor.
void fold(const Sizes& s, const float* from, const Block& b, float factor, float* to) {
  for (size_t g = 0; g < s.group; g++)
    for (size_t i = 0; i < b.queries; i++, to += s.headDim) {
      const float* row = from + (b.first + i) * s.queryWidth + (b.keyHead * s.group + g) * s.headDim;
      for (size_t k = 0; k < s.headDim; k += kLanes) store(to + k, mul(load(row + k), all(factor)));
    }
}

struct Scratch {
  Array<float> q, o, turned, turnedValues, p, dP, dO, dQ, top, total, delta;
};

// scores = q turned: [rows, kKeys], only the columns of the tile's keys.
void scoresOf(const Sizes& s, size_t rows, const float* q, const float* turned, const Tile& tile, float* scores) {
  product<false>(rows, roundUp(tile.count, kLanes), s.headDim, {q, s.headDim, 1}, {turned, kKeys}, {scores, kKeys});
}

// Scores of a row to exponentials less the new top; o's row and the sum are brought to that top.
void softmaxRow(float* scores, size_t columns, size_t seen, float& top, float& total, float* o, size_t headDim) {
  Floats largestSoFar = all(kNone);
  for (size_t j = 0; j < seen; j += kLanes)
    largestSoFar = larger(largestSoFar, firstLanes(load(scores + j), std::min(kLanes, seen - j), all(kNone)));
  const float newTop = std::max(top, largest(largestSoFar));
  Floats sums = zeros();
  for (size_t j = 0; j < columns; j += kLanes) {
    const size_t count = seen > j ? std::min(kLanes, seen - j) : 0;
    const Floats e = firstLanes(exponential(sub(load(scores + j), all(newTop))), count, zeros());
    store(scores + j, e);
    sums = add(sums, e);
  }
  float kept = 1;
  if (newTop != top) {
    alignas(64) float lanes[kLanes];
    store(lanes, exponential(all(top - newTop)));
    kept = lanes[0];
    for (size_t k = 0; k < headDim; k += kLanes) store(o + k, mul(load(o + k), all(kept)));
  }
  total = total * kept + sum(sums);
  top = newTop;
}

void forwardBlock(const Sizes& s, const Block& b, const float* const in[3], float* o, float* lse) {
  thread_local Scratch scratch;
  const size_t rows = s.group * b.queries, width = s.headDim;
  float* q = scratch.q.take(rows * width);
  float* sums = scratch.o.take(rows * width);
  float* turned = scratch.turned.take(width * kKeys);
  float* p = scratch.p.take(rows * kKeys);
  float* top = scratch.top.take(rows);
  float* total = scratch.total.take(rows);
  fold(s, in[0], b, s.factor, q);
  std::memset(sums, 0, rows * width * sizeof(float));
  for (size_t r = 0; r < rows; r++) top[r] = kNone, total[r] = 0;
  eachTile(b, [&](const Tile& tile) {
    turn(s, in[1], tile, b.keyHead, turned);
    scoresOf(s, rows, q, turned, tile, p);
    for (size_t r = 0; r < rows; r++) {
      const size_t seen = seenOf(tile, b.first + r % b.queries);
      softmaxRow(p + r * kKeys, roundUp(tile.count, kLanes), seen, top[r], total[r], sums + r * width, width);
    }
    const Rows<const float> values{in[2] + tile.first * s.keyWidth + b.keyHead * width, s.keyWidth};
    product<true>(rows, width, tile.count, {p, kKeys, 1}, values, {sums, width});
  });
  for (size_t r = 0; r < rows; r++) {
    const size_t n = b.first + r % b.queries, head = b.keyHead * s.group + r / b.queries;
    for (size_t k = 0; k < width; k += kLanes)
      store(o + n * s.queryWidth + head * width + k, mul(load(sums + r * width + k), all(1.f / total[r])));
    lse[n * s.heads + head] = top[r] + logarithm(total[r]);
  }
}

// What backward reads and writes.
struct Backward {
  const float *q, *k, *v, *o, *lse, *dO;
  float *dQ, *dK, *dV;
};

// p = exp(scores - lse) and dP -> p (dP - delta), of the keys that are seen; others are zero.
void scoreGradients(const Sizes& s, const Block& b, const Tile& tile, const Backward& a, Scratch& scratch) {
  const size_t columns = roundUp(tile.count, kLanes);
  for (size_t r = 0; r < s.group * b.queries; r++) {
    const size_t n = b.first + r % b.queries, seen = seenOf(tile, n);
    const Floats lse = all(a.lse[n * s.heads + b.keyHead * s.group + r / b.queries]), delta = all(scratch.delta.data()[r]);
    float *p = scratch.p.data() + r * kKeys, *dP = scratch.dP.data() + r * kKeys;
    for (size_t j = 0; j < columns; j += kLanes) {
      const size_t count = seen > j ? std::min(kLanes, seen - j) : 0;
      const Floats e = firstLanes(exponential(sub(load(p + j), lse)), count, zeros());
      store(p + j, e);
      store(dP + j, mul(e, sub(load(dP + j), delta)));
    }
  }
}

// The gradients of a block's queries, and of the keys that they see: those of its own segment are added in place, those of the first
// segment, where it is another, to `sums` (d.k and d.v, [seen rows, keyWidth] each).
void backwardBlock(const Sizes& s, const Block& b, const Backward& a, bool elsewhere, float* const sums[2]) {
  thread_local Scratch scratch;
  const size_t rows = s.group * b.queries, width = s.headDim;
  float* q = scratch.q.take(rows * width);
  float* dO = scratch.dO.take(rows * width);
  float* o = scratch.o.take(rows * width);
  float* dQ = scratch.dQ.take(rows * width);
  float* turned = scratch.turned.take(width * kKeys);
  float* turnedValues = scratch.turnedValues.take(width * kKeys);
  float* delta = scratch.delta.take(rows);
  scratch.p.take(rows * kKeys), scratch.dP.take(rows * kKeys);
  fold(s, a.q, b, s.factor, q);
  fold(s, a.dO, b, 1, dO);
  fold(s, a.o, b, 1, o);
  std::memset(dQ, 0, rows * width * sizeof(float));
  for (size_t r = 0; r < rows; r++) {
    Floats along = zeros();
    for (size_t k = 0; k < width; k += kLanes) along = fma(load(dO + r * width + k), load(o + r * width + k), along);
    delta[r] = sum(along);
  }
  eachTile(b, [&](const Tile& tile) {
    turn(s, a.k, tile, b.keyHead, turned);
    turn(s, a.v, tile, b.keyHead, turnedValues);
    scoresOf(s, rows, q, turned, tile, scratch.p.data());
    scoresOf(s, rows, dO, turnedValues, tile, scratch.dP.data());
    scoreGradients(s, b, tile, a, scratch);
    const size_t at = tile.first * s.keyWidth + b.keyHead * width;
    const bool away = elsewhere && !tile.causal;
    const Rows<float> dK{(away ? sums[0] : a.dK) + at, s.keyWidth}, dV{(away ? sums[1] : a.dV) + at, s.keyWidth};
    product<true>(tile.count, width, rows, {scratch.p.data(), 1, kKeys}, {dO, width}, dV);
    product<true>(tile.count, width, rows, {scratch.dP.data(), 1, kKeys}, {q, width}, dK);
    product<true>(rows, width, tile.count, {scratch.dP.data(), kKeys, 1}, {a.k + at, s.keyWidth}, {dQ, width});
  });
  for (size_t r = 0; r < rows; r++) {
    const size_t n = b.first + r % b.queries, head = b.keyHead * s.group + r / b.queries;
    for (size_t k = 0; k < width; k += kLanes)
      store(a.dQ + n * s.queryWidth + head * width + k, mul(load(dQ + r * width + k), all(s.factor)));
  }
}

void backwardSegment(const Sizes& s, size_t segment, size_t keyHead, const Backward& a, float* const sums[2]) {
  const size_t start = s.firstRow(segment), end = s.ranges[s.segments[segment + 1] - 1].end;
  for (size_t n = start; n < end; n++)
    for (float* d : {a.dK, a.dV}) std::memset(d + n * s.keyWidth + keyHead * s.headDim, 0, s.headDim * sizeof(float));
  for (size_t i = s.segments[segment]; i < s.segments[segment + 1]; i++) {
    const Range& range = s.ranges[i];
    const bool elsewhere = static_cast<size_t>(range.seenEnd) <= start;
    for (size_t first = range.first; first < static_cast<size_t>(range.end); first += kQueries)
      backwardBlock(s, {range, first, std::min(kQueries, range.end - first), keyHead}, a, elsewhere, sums);
  }
}

}  // namespace

void Attention::forward(const Arguments& arguments, const Shape& shape, size_t rows) {
  const Sizes s(arguments, shape, rows);
  const float* in[3] = {arguments.floats("q", rows * s.queryWidth), arguments.floats("k", rows * s.keyWidth),
                        arguments.floats("v", rows * s.keyWidth)};
  float* o = arguments.floats("o", rows * s.queryWidth);
  float* lse = arguments.floats("lse", rows * s.heads);
  std::vector<Block> blocks;
  for (const Range& range : s.ranges)
    for (size_t first = range.first; first < static_cast<size_t>(range.end); first += kQueries)
      for (size_t keyHead = 0; keyHead < s.keyHeads; keyHead++)
        blocks.push_back({range, first, std::min(kQueries, range.end - first), keyHead});
  // The last ones see the most keys: they are begun first.
  const size_t count = blocks.size();
  Pool::shared().run(s.threads, static_cast<int>(count), [&](int i) { forwardBlock(s, blocks[count - 1 - i], in, o, lse); });
}

void Attention::backward(const Arguments& arguments, const Shape& shape, size_t rows) {
  const Sizes s(arguments, shape, rows);
  const auto wide = [&](const char* name) { return arguments.floats(name, rows * s.queryWidth); };
  const auto narrow = [&](const char* name) { return arguments.floats(name, rows * s.keyWidth); };
  const Backward a{wide("q"), narrow("k"), narrow("v"), wide("o"), arguments.floats("lse", rows * s.heads), wide("d.o"),
                   wide("d.q"), narrow("d.k"), narrow("d.v")};
  const size_t segments = s.segments.size() - 1;
  size_t shared = 0;  // rows of the first segment that others see
  for (size_t i = 1; i < segments; i++)
    for (size_t r = s.segments[i]; r < s.segments[i + 1]; r++)
      if (static_cast<size_t>(s.ranges[r].seenEnd) <= s.firstRow(i)) shared = std::max<size_t>(shared, s.ranges[r].seenEnd);
  if (shared == 0) {
    float* const none[2] = {};
    const size_t count = segments * s.keyHeads;
    Pool::shared().run(s.threads, static_cast<int>(count), [&](int i) {
      const size_t item = count - 1 - i;
      backwardSegment(s, item / s.keyHeads, item % s.keyHeads, a, none);
    });
    return;
  }
  // What segments give to a common beginning is summed in lanes, as the adapter's gradients are (shape.h).
  thread_local Array<float> lanes;
  const size_t size = shared * s.keyWidth;
  float* sums = lanes.take(2 * kGradientLanes * size);
  std::memset(sums, 0, 2 * kGradientLanes * size * sizeof(float));
  Pool::shared().run(s.threads, static_cast<int>(kGradientLanes * s.keyHeads), [&](int i) {
    const size_t lane = i / s.keyHeads, keyHead = i % s.keyHeads;
    float* const own[2] = {sums + 2 * lane * size, sums + (2 * lane + 1) * size};
    for (size_t segment = lane; segment < segments; segment += kGradientLanes) backwardSegment(s, segment, keyHead, a, own);
  });
  for (size_t lane = 0; lane < kGradientLanes; lane++)
    for (size_t i = 0; i < size; i += kLanes) {
      store(a.dK + i, add(load(a.dK + i), load(sums + 2 * lane * size + i)));
      store(a.dV + i, add(load(a.dV + i), load(sums + (2 * lane + 1) * size + i)));
    }
}

}  // namespace nomoat
