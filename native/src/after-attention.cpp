#include "chunks.h"
#include "group.h"
#include "stages.h"

namespace nomoat {

// The three groups behind attention.
template <class Kind>
struct Groups {
  Group<Kind> o, mlp, down;
  Groups(const Arguments& arguments, const Shape& s, size_t rows)
      : o(arguments, s, "o", s.queryWidth, {{"o_proj", s.modelWidth, 3}}, rows),
        mlp(arguments, s, "mlp", s.modelWidth, {{"gate_proj", s.feedForward, 4}, {"up_proj", s.feedForward, 5}}, rows),
        down(arguments, s, "down", s.feedForward, {{"down_proj", s.modelWidth, 6}}, rows) {}
};

template <class Kind>
void Stages<Kind>::afterForward(const Arguments& arguments, const Shape& s, size_t rows) {
  const Groups<Kind> groups(arguments, s, rows);
  const size_t width = s.modelWidth, wide = s.feedForward;
  const float* x = arguments.floats("x", rows * width);
  const float* o = arguments.floats("o", rows * s.queryWidth);
  const float* norm = arguments.floats("ffn_norm", width);
  float* y = arguments.floats("y", rows * width);
  float* mid = arguments.floats("saved.mid", rows * width);
  float* gate = arguments.floats("saved.gate", rows * wide);
  float* up = arguments.floats("saved.up", rows * wide);
  eachChunk(s, rows, [&](size_t first, size_t count) {
    thread_local GroupScratch<Kind> scratch;
    thread_local Array<float> normed, gated;
    const Rows<float> middle{mid + first * width, width}, out{y + first * width, width};
    const Rows<float> h{normed.take(kChunk * width), width}, act{gated.take(kChunk * (wide + kLanes)), wide + kLanes};
    groups.o.forward(first, count, {o + first * s.queryWidth, s.queryWidth}, &middle, scratch);
    for (size_t i = 0; i < count; i++) {
      addRow(middle[i], x + (first + i) * width, width, middle[i]);
      normRow(middle[i], norm, width, s.epsilon, h[i]);
    }
    const Rows<float> both[2] = {{gate + first * wide, wide}, {up + first * wide, wide}};
    groups.mlp.forward(first, count, h, both, scratch);
    for (size_t i = 0; i < count; i++) gateRow(both[0][i], both[1][i], wide, act[i]);
    groups.down.forward(first, count, act, &out, scratch);
    for (size_t i = 0; i < count; i++) addRow(out[i], middle[i], width, out[i]);
  });
}

template <class Kind>
void Stages<Kind>::afterBackward(const Arguments& arguments, const Shape& s, size_t rows) {
  Groups<Kind> groups(arguments, s, rows);
  const size_t width = s.modelWidth, wide = s.feedForward;
  const float* o = arguments.floats("o", rows * s.queryWidth);
  const float* norm = arguments.floats("ffn_norm", width);
  const float* mid = arguments.floats("saved.mid", rows * width);
  const float* gate = arguments.floats("saved.gate", rows * wide);
  const float* up = arguments.floats("saved.up", rows * wide);
  const float* dy = arguments.floats("d.y", rows * width);
  float* dx = arguments.floats("d.x", rows * width);
  float* dO = arguments.floats("d.o", rows * s.queryWidth);
  for (Group<Kind>* group : {&groups.o, &groups.mlp, &groups.down}) group->beginGradients();
  eachLane(s, rows, [&](size_t first, size_t count, size_t lane) {
    thread_local GroupScratch<Kind> scratch;
    thread_local Array<float> normed, dNormed, gated, dGate, dUp;
    const size_t apart = wide + kLanes;
    const Rows<float> h{normed.take(kChunk * width), width}, dh{dNormed.take(kChunk * width), width};
    const Rows<float> act{gated.take(kChunk * apart), apart};
    const Rows<float> dg{dGate.take(kChunk * apart), apart}, du{dUp.take(kChunk * apart), apart};
    const Rows<const float> dOut{dy + first * width, width};
    const Rows<float> dMid{dx + first * width, width};
    for (size_t i = 0; i < count; i++) gateRow(gate + (first + i) * wide, up + (first + i) * wide, wide, act[i]);
    groups.down.backward(first, count, act, &dOut, dg, lane, scratch);
    for (size_t i = 0; i < count; i++) {
      gateGradientRow(gate + (first + i) * wide, up + (first + i) * wide, wide, dg[i], du[i]);
      normRow(mid + (first + i) * width, norm, width, s.epsilon, h[i]);
    }
    const Rows<const float> both[2] = {dg, du};
    groups.mlp.backward(first, count, h, both, dh, lane, scratch);
    for (size_t i = 0; i < count; i++)
      normGradientRow(mid + (first + i) * width, norm, dh[i], width, s.epsilon, dOut[i], dMid[i]);
    const Rows<const float> dAttended = dMid;
    groups.o.backward(first, count, {o + first * s.queryWidth, s.queryWidth}, &dAttended,
                      {dO + first * s.queryWidth, s.queryWidth}, lane, scratch);
  });
  groups.o.finishGradients(arguments, "o");
  groups.mlp.finishGradients(arguments, "mlp");
  groups.down.finishGradients(arguments, "down");
}

template void Stages<Int8>::afterForward(const Arguments&, const Shape&, size_t);
template void Stages<Exact>::afterForward(const Arguments&, const Shape&, size_t);
template void Stages<Int8>::afterBackward(const Arguments&, const Shape&, size_t);
template void Stages<Exact>::afterBackward(const Arguments&, const Shape&, size_t);

}  // namespace nomoat
