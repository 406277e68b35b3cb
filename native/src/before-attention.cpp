#include "chunks.h"
#include "group.h"
#include "stages.h"

namespace nomoat {

template <class Kind>
static Group<Kind> projections(const Arguments& arguments, const Shape& s, size_t rows) {
  return {arguments, s, "pre", s.modelWidth,
          {{"q_proj", s.queryWidth, 0}, {"k_proj", s.keyWidth, 1}, {"v_proj", s.keyWidth, 2}}, rows};
}

// What is done to q or k after its projection.
struct Rotated {
  float* out;
  float* raw;  // before the norm, null without
  const float* norm;
  size_t width;
};

template <class Kind>
void Stages<Kind>::beforeForward(const Arguments& arguments, const Shape& s, size_t rows) {
  const Group<Kind> group = projections<Kind>(arguments, s, rows);
  const float* x = arguments.floats("x", rows * s.modelWidth);
  const float* norm = arguments.floats("attn_norm", s.modelWidth);
  const float* cos = arguments.floats("cos", rows * s.headDim / 2);
  const float* sin = arguments.floats("sin", rows * s.headDim / 2);
  float* outs[3];
  const float* biases[3] = {};
  const char* names[3] = {"q", "k", "v"};
  for (size_t j = 0; j < 3; j++) {
    outs[j] = arguments.floats(names[j], rows * group.out(j));
    if (s.biases) biases[j] = arguments.floats(std::string(names[j]) + "_proj.bias", group.out(j));
  }
  Rotated rotated[2];
  for (size_t j = 0; j < 2; j++) {
    const std::string name = std::string("attn_") + names[j];
    rotated[j] = {outs[j], nullptr, nullptr, group.out(j)};
    if (!s.headNorms) continue;
    rotated[j].norm = arguments.floats(name + "_norm", s.headDim);
    rotated[j].raw = arguments.optional("saved." + name + "_raw", rows * group.out(j));
  }
  eachChunk(s, rows, [&](size_t first, size_t count) {
    thread_local GroupScratch<Kind> scratch;
    thread_local Array<float> normed;
    const Rows<float> h{normed.take(kChunk * s.modelWidth), s.modelWidth};
    for (size_t i = 0; i < count; i++) normRow(x + (first + i) * s.modelWidth, norm, s.modelWidth, s.epsilon, h[i]);
    Rows<float> to[3];
    for (size_t j = 0; j < 3; j++) to[j] = {outs[j] + first * group.out(j), group.out(j)};
    group.forward(first, count, h, to, scratch);
    for (size_t j = 0; j < 3; j++)
      for (size_t i = 0; biases[j] && i < count; i++) addRow(to[j][i], biases[j], group.out(j), to[j][i]);
    for (const Rotated& r : rotated)
      for (size_t i = first; i < first + count; i++) {
        float* row = r.out + i * r.width;
        if (r.raw) std::memcpy(r.raw + i * r.width, row, r.width * sizeof(float));
        for (size_t at = 0; r.norm && at < r.width; at += s.headDim) normRow(row + at, r.norm, s.headDim, s.epsilon, row + at);
        ropeRow(row, r.width, s.headDim, cos + i * s.headDim / 2, sin + i * s.headDim / 2, 1);
      }
  });
}

template <class Kind>
void Stages<Kind>::beforeBackward(const Arguments& arguments, const Shape& s, size_t rows) {
  Group<Kind> group = projections<Kind>(arguments, s, rows);
  const float* x = arguments.floats("x", rows * s.modelWidth);
  const float* norm = arguments.floats("attn_norm", s.modelWidth);
  const float* cos = arguments.floats("cos", rows * s.headDim / 2);
  const float* sin = arguments.floats("sin", rows * s.headDim / 2);
  float* dx = arguments.optional("d.x", rows * s.modelWidth);
  const float* through = dx ? arguments.floats("d.through", rows * s.modelWidth) : nullptr;
  const float* dOuts[3];
  const float* raws[2] = {};
  const float* norms[2] = {};
  const char* names[3] = {"q", "k", "v"};
  for (size_t j = 0; j < 3; j++) dOuts[j] = arguments.floats(std::string("d.") + names[j], rows * group.out(j));
  for (size_t j = 0; j < 2 && s.headNorms; j++) {
    const std::string name = std::string("attn_") + names[j];
    norms[j] = arguments.floats(name + "_norm", s.headDim);
    raws[j] = arguments.floats("saved." + name + "_raw", rows * group.out(j));
  }
  group.beginGradients();
  eachLane(s, rows, [&](size_t first, size_t count, size_t lane) {
    thread_local GroupScratch<Kind> scratch;
    thread_local Array<float> normed, dNormed, turned[2];
    const size_t width = s.modelWidth;
    const Rows<float> h{normed.take(kChunk * width), width}, dh{dx ? dNormed.take(kChunk * width) : nullptr, width};
    for (size_t i = 0; i < count; i++) normRow(x + (first + i) * width, norm, width, s.epsilon, h[i]);
    Rows<const float> from[3];
    for (size_t j = 0; j < 2; j++) {
      const size_t own = group.out(j);
      const Rows<float> back{turned[j].take(kChunk * own), own};
      for (size_t i = 0; i < count; i++) {
        const size_t n = first + i;
        std::memcpy(back[i], dOuts[j] + n * own, own * sizeof(float));
        ropeRow(back[i], own, s.headDim, cos + n * s.headDim / 2, sin + n * s.headDim / 2, -1);
        for (size_t at = 0; norms[j] && at < own; at += s.headDim)
          normGradientRow(raws[j] + n * own + at, norms[j], back[i] + at, s.headDim, s.epsilon, nullptr, back[i] + at);
      }
      from[j] = back;
    }
    from[2] = {dOuts[2] + first * group.out(2), group.out(2)};
    group.backward(first, count, h, from, dh, lane, scratch);
    for (size_t i = 0; dx && i < count; i++) {
      const size_t at = (first + i) * width;
      normGradientRow(x + at, norm, dh[i], width, s.epsilon, through + at, dx + at);
    }
  });
  group.finishGradients(arguments, "pre");
}

template void Stages<Int8>::beforeForward(const Arguments&, const Shape&, size_t);
template void Stages<Exact>::beforeForward(const Arguments&, const Shape&, size_t);
template void Stages<Int8>::beforeBackward(const Arguments&, const Shape&, size_t);
template void Stages<Exact>::beforeBackward(const Arguments&, const Shape&, size_t);

}  // namespace nomoat
