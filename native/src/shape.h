// What a block is computed by: its sizes and its adapter, as src/models/config.ts and block-options.ts have them.
#pragma once
#include <cstddef>

namespace nomoat {

// Rows that are taken through a stage together: their activations stay in the second-level cache.
constexpr size_t kChunk = 64;
// Gradients of the adapter are summed in so many lanes, chunk by chunk in turn, and the lanes in order: so the sums do not depend on
// the number of threads. As many threads at most share the way back.
constexpr size_t kGradientLanes = 8;

struct Shape {
  size_t modelWidth, queryWidth, keyWidth, feedForward, headDim, rank, vocabulary;
  float epsilon;
  int threads;
  bool dropout, biases, headNorms;
  unsigned targets;  // bit i: projection i of q, k, v, o, gate, up, down
};

}  // namespace nomoat
