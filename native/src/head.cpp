// The head as src/models/head.ts defines it: log-probabilities of the targets and the gradient of the hidden states. Logits are made and
// used up slab by slab of the vocabulary, some rows at once.
#include <algorithm>

#include "arguments.h"
#include "chunks.h"
#include "frozen.h"
#include "stages.h"

namespace nomoat {
namespace {

// Tokens of a slab: its logits, and levels, stay in the second-level cache.
constexpr size_t kSlab = 1024;
constexpr float kNone = -1e30f;

template <class Kind>
struct Head {
  const Shape& shape;
  const Frozen<Kind>& output;
  const float *x, *norm, *dLogp, *thresholds;
  const int32_t* target;
  float *logp, *dx;

  Head(const Arguments& arguments, const Shape& s, size_t rows)
      : shape(s), output(arguments.matrix<Frozen<Kind>>("output.packed", std::is_same_v<Kind, Int8> ? Handle::kInt8 : Handle::kExact,
                                                        s.modelWidth, s.vocabulary)),
        x(arguments.floats("x", rows * s.modelWidth)), norm(arguments.floats("output_norm", s.modelWidth)),
        logp(arguments.floats("logp", rows)), dx(arguments.optional("d.x", rows * s.modelWidth)) {
    size_t count = 0;
    target = arguments.integers("target", count);
    for (size_t i = 0; i < count; i++)
      if (target[i] < 0 || static_cast<size_t>(target[i]) >= s.vocabulary) throw std::runtime_error("native stage: no token");
    if (count != rows) throw std::runtime_error("native stage: not as many targets as rows");
    dLogp = dx ? arguments.floats("d.logp", rows) : nullptr;
    thresholds = dx && std::is_same_v<Kind, Int8> ? arguments.floats("thresholds", s.vocabulary) : nullptr;
  }
};

// What is known of a row when all its logits have been seen.
struct Row {
  float top = kNone, total = 0;  // the largest logit, and the sum of exponentials less it
  float topOther = kNone;        // of tokens but the target, the largest logit with its scale's logarithm
  float target = 0;              // the target's logit
  float logSum() const { return top + logarithm(total); }
};

// Takes a slab's logits in: tokens [first, first + count), a multiple of 16. `logScale` is null where levels are not made.
void see(Row& row, const float* logits, size_t first, size_t count, size_t target, const float* logScale) {
  Floats top = all(row.top), other = all(row.topOther);
  for (size_t j = 0; j < count; j += kLanes) {
    const Floats l = load(logits + j);
    top = larger(top, l);
    if (!logScale) continue;
    const Floats scaled = add(l, load(logScale + first + j));
    const size_t at = target - first - j;  // beyond 16 where it is not among these
    other = larger(other, at < kLanes ? without(scaled, at, all(kNone)) : scaled);
  }
  row.topOther = largest(other);
  const float newTop = largest(top);
  Floats sums = zeros();
  for (size_t j = 0; j < count; j += kLanes) sums = add(sums, exponential(sub(load(logits + j), all(newTop))));
  row.total = row.total * exponentialOf(row.top - newTop) + sum(sums);
  row.top = newTop;
  if (target - first < count) row.target = logits[target - first];
}

template <class Kind>
struct Scratch {
  Array<float> normed, logits, gradient, scales, towards;
  Array<typename Kind::Code> codes, levels;
};

// Probabilities of a slab as what the other direction multiplies: in Int8 levels 0 .. 255 of `step`, times the tokens' scales and without
// the target's, in Exact as they are.
template <class Kind>
void levelsOf(const Head<Kind>& head, const float* logits, size_t first, size_t count, float logSum, float inverse,
              typename Kind::Code* to) {
  for (size_t j = 0; j < count; j += kLanes) {
    const Floats p = exponential(sub(load(logits + j), all(logSum)));
    if constexpr (std::is_same_v<Kind, Int8>) {
      const Floats steps = mul(mul(p, load(head.output.scales() + first + j)), all(inverse));
      Int8::storeLevels(add(steps, load(head.thresholds + first + j)), to + j);
    } else {
      store(to + j, p);
    }
  }
}

// The gradient of rows' normed hidden states over `scales` of levels: minus what the other tokens take.
template <class Kind>
void gradientOfRows(const Head<Kind>& head, size_t begin, size_t rows, const Row* known, Scratch<Kind>& scratch) {
  constexpr bool int8 = std::is_same_v<Kind, Int8>;
  const size_t width = head.shape.modelWidth, vocabulary = head.shape.vocabulary;
  const Rows<float> gradient{scratch.gradient.take(kChunk * width), width}, logits{scratch.logits.data(), vocabulary};
  const Rows<typename Kind::Code> levels{scratch.levels.take(kChunk * (kSlab + kPanel)), kSlab + kPanel};
  float step[kChunk], logSum[kChunk], ones[kTileRows];
  std::fill(ones, ones + kTileRows, 1.f);
  std::memset(gradient.data, 0, rows * width * sizeof(float));
  for (size_t i = 0; i < rows; i++) {
    logSum[i] = known[i].logSum();
    step[i] = int8 ? exponentialOf(known[i].topOther - logSum[i]) * (1.f / 255) + 1e-30f : 1;
  }
  for (size_t first = 0; first < vocabulary; first += kSlab) {
    const size_t count = std::min(kSlab, vocabulary - first);
    for (size_t i = 0; i < rows; i++) {
      levelsOf(head, logits[i] + first, first, count, logSum[i], 1.f / step[i], levels[i]);
      const size_t at = head.target[begin + i] - first;
      if constexpr (int8)
        if (at < count) levels[i][at] = Int8::kNoLevel;
    }
    head.output.backward.timesRows({first, first + count}, rows, levels, ones, gradient);
  }
  float* towards = scratch.towards.take(width);
  for (size_t i = 0; i < rows; i++) {
    const size_t n = begin + i, target = head.target[n];
    const float missing = int8 ? 1 - exponentialOf(head.logp[n]) : 1;
    head.output.backward.row(target, missing * (int8 ? head.output.scales()[target] : 1), towards);
    for (size_t k = 0; k < width; k += kLanes) {
      const Floats away = mul(load(gradient[i] + k), all(step[i]));
      store(gradient[i] + k, mul(sub(load(towards + k), away), all(head.dLogp[n])));
    }
    if (int8) hadamardRow(gradient[i], width, hadamardBlock(width), gradient[i]);
    normGradientRow(head.x + n * width, head.norm, gradient[i], width, head.shape.epsilon, nullptr, head.dx + n * width);
  }
}

template <class Kind>
void headRows(const Head<Kind>& head, size_t begin, size_t rows) {
  thread_local Scratch<Kind> scratch;
  const size_t width = head.shape.modelWidth, vocabulary = head.shape.vocabulary, stride = roundUp(width, 128) + 64;
  const Rows<typename Kind::Code> codes{scratch.codes.take(kChunk * stride), stride};
  float* normed = scratch.normed.take(width);
  float* scales = scratch.scales.take(kChunk);
  for (size_t i = 0; i < rows; i++) {
    normRow(head.x + (begin + i) * width, head.norm, width, head.shape.epsilon, normed);
    if (std::is_same_v<Kind, Int8>) hadamardRow(normed, width, hadamardBlock(width), normed);
    scales[i] = encode<Kind>(normed, nullptr, width, codes[i]);
  }
  Row known[kChunk];
  // Where no gradient is wanted, slabs take turns in the same memory.
  const size_t apart = head.dx ? vocabulary : kSlab;
  const Rows<float> logits{scratch.logits.take(kChunk * apart), apart};
  const float* columnScales = std::is_same_v<Kind, Int8> ? head.output.scales() : nullptr;
  for (size_t first = 0; first < vocabulary; first += kSlab) {
    const size_t count = std::min(kSlab, vocabulary - first);
    const Rows<float> slab = logits.columns(head.dx ? first : 0);
    head.output.forward.template timesColumns<false>({first, first + count}, rows, codes, scales, columnScales, slab);
    const float* logScale = head.dx && columnScales ? head.output.logScale.data() : nullptr;
    for (size_t i = 0; i < rows; i++) see(known[i], slab[i], first, count, head.target[begin + i], logScale);
  }
  for (size_t i = 0; i < rows; i++) head.logp[begin + i] = known[i].target - known[i].logSum();
  if (head.dx) gradientOfRows(head, begin, rows, known, scratch);
}

}  // namespace

template <class Kind>
void Stages<Kind>::head(const Arguments& arguments, const Shape& shape, size_t rows) {
  const Head<Kind> head(arguments, shape, rows);
  // Rows do not depend on each other: few of them are shared out evenly.
  const size_t each = std::min(kChunk, roundUp((rows + shape.threads - 1) / shape.threads, kTileRows));
  Pool::shared().run(shape.threads, static_cast<int>((rows + each - 1) / each), [&](int i) {
    const size_t begin = i * each;
    headRows(head, begin, std::min(each, rows - begin));
  });
}

template void Stages<Int8>::head(const Arguments&, const Shape&, size_t);
template void Stages<Exact>::head(const Arguments&, const Shape&, size_t);

}  // namespace nomoat
