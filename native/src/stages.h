// The stages of a block around attention, as src/models/block.ts defines them in graphs: equal names, equal shapes, equal results.
#pragma once
#include "arguments.h"
#include "shape.h"

namespace nomoat {

// Each reads and writes `rows` rows of the arrays by the graphs' names. Kind: Int8 or Exact.
template <class Kind>
struct Stages {
  // x -> q, k, v (rotated), and with norms per head saved.attn_q_raw and saved.attn_k_raw.
  static void beforeForward(const Arguments&, const Shape&, size_t rows);
  // d.q, d.k, d.v (, d.through) -> d.x where it is among the arrays, and the adapter's gradients.
  static void beforeBackward(const Arguments&, const Shape&, size_t rows);
  // x, o -> y, saved.mid, saved.gate, saved.up.
  static void afterForward(const Arguments&, const Shape&, size_t rows);
  // d.y -> d.x, d.o, and the adapter's gradients.
  static void afterBackward(const Arguments&, const Shape&, size_t rows);
  // x and `target` (Int32Array) -> logp, and where d.x is among the arrays that too, for d.logp; in Int8 rounded by `thresholds`.
  static void head(const Arguments&, const Shape&, size_t rows);
};

// Causal attention within segments, exact in either arithmetic. `ranges` (Int32Array) says which keys queries see, six numbers a range:
// the segment; the queries [first, end); `own`, from where on they see the keys up to themselves; and keys [seenFirst, seenEnd) that
// all of them see, none where the two are equal. Ranges of a segment stand together, segments in order; what a range sees beyond its segment is
// of the first segment.
struct Attention {
  // q, k, v -> o, and lse [rows, heads], the logarithm of the sum of the exponentials of the scores.
  static void forward(const Arguments&, const Shape&, size_t rows);
  // q, k, v, o, lse, d.o -> d.q, d.k, d.v.
  static void backward(const Arguments&, const Shape&, size_t rows);
};

}  // namespace nomoat
