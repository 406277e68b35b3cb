/**
 * Updates of adapters merged element by element, as WebAssembly, four values at a time: which magnitudes lie where, which elements are kept, their sum or the
 * mean of those that agree. Plain C, no library, one thread. Arrays have room up to the next multiple of four; what stands there is computed, and not read.
 */
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name)))

extern uint8_t __heap_base;
EXPORT(heap) uint8_t *heap(void) { return &__heap_base; }

typedef uint32_t U4 __attribute__((vector_size(16)));
typedef int32_t I4 __attribute__((vector_size(16)));
typedef float F4 __attribute__((vector_size(16)));

#define MAGNITUDE 0x7fffffffu
static U4 all(uint32_t value) { return (U4){value, value, value, value}; }
static int any(I4 mask) { return __builtin_wasm_any_true_v128((__typeof__((signed char __attribute__((vector_size(16)))){0}))mask); }

/** How many of `bits` are above `high` by their magnitude; those from `low` to `high` go to `found`, which has room for one more than all, and their number to
 * `*count`. */
EXPORT(split) uint32_t split(const uint32_t *bits, uint32_t length, uint32_t low, uint32_t high, uint32_t *found, uint32_t *count) {
  uint32_t above = 0, inside = 0, i = 0;
  I4 counts = {0};
  for (; i + 16 <= length; i += 16) {
    I4 there = {0};
    for (int part = 0; part < 4; part++) {
      const U4 magnitude = *(const U4 *)(bits + i + 4 * part) & all(MAGNITUDE);
      counts -= (I4)(magnitude > all(high));
      there |= (I4)(magnitude >= all(low)) & (I4)(magnitude <= all(high));
    }
    if (any(there))
      for (int k = 0; k < 16; k++) {
        const uint32_t magnitude = bits[i + k] & MAGNITUDE;
        found[inside] = magnitude;
        inside += magnitude >= low && magnitude <= high;
      }
  }
  for (; i < length; i++) {
    const uint32_t magnitude = bits[i] & MAGNITUDE;
    above += magnitude > high;
    if (magnitude >= low && magnitude <= high) found[inside++] = magnitude;
  }
  *count = inside;
  return above + (uint32_t)(counts[0] + counts[1] + counts[2] + counts[3]);
}

/** Keeps what lies between two magnitudes, and of what equals one of them the first `*equal`, which becomes what is left of it. */
EXPORT(band) void band(uint32_t *bits, uint32_t length, uint32_t low, uint32_t high, uint32_t *equal) {
  for (uint32_t i = 0; i < length; i += 4) {
    U4 *at = (U4 *)(bits + i);
    const U4 magnitude = *at & all(MAGNITUDE);
    U4 kept = (U4)((I4)(magnitude > all(low)) & (I4)(magnitude < all(high)));
    if (any((I4)(magnitude == all(low)) | (I4)(magnitude == all(high))))
      for (uint32_t k = 0; k < 4 && i + k < length; k++)
        if (*equal && (magnitude[k] == low || magnitude[k] == high)) {
          kept[k] = ~0u;
          --*equal;
        }
    *at &= kept;
  }
}

/** 32 bits for each index: two rounds of a finalizer of no measurable bias (Wellons' lowbias32), keyed before each. */
static inline U4 drawn(U4 x, uint32_t key, uint32_t other) {
  x += all(key);
  for (int round = 0; round < 2; round++) {
    x = (x ^ (x >> 16)) * all(0x7feb352du);
    x = (x ^ (x >> 15)) * all(0x846ca68bu);
    x = (x ^ (x >> 16)) ^ all(round ? 0 : other);
  }
  return x;
}

/** Keeps each with a chance of `limit` / 2^32, times `factor`; `first` is the first one's place in its matrix. */
EXPORT(chance) void chance(float *values, uint32_t length, uint32_t first, uint32_t key, uint32_t other, uint32_t limit, float factor) {
  for (uint32_t i = 0; i < length; i += 4) {
    U4 *at = (U4 *)(values + i);
    const U4 index = all(first + i) + (U4){0, 1, 2, 3};
    const F4 scaled = *(F4 *)at * (F4){factor, factor, factor, factor};
    *at = (U4)scaled & (U4)(drawn(index, key, other) < all(limit));
  }
}

#define DIGIT 11
#define DIGITS (1 << DIGIT)

/** A row of `width` as `chance`, with chances from `density - spread` for the smallest magnitude to `density + spread` for the largest. `room` is for 4 `width`. */
EXPORT(ranked) void ranked(float *values, uint32_t width, uint32_t first, uint32_t key, uint32_t other, double density, double spread, uint32_t *room) {
  uint32_t *keys = room, *places = room + width, *nextKeys = room + 2 * width, *nextPlaces = room + 3 * width;
  for (uint32_t i = 0; i < width; i++) {
    keys[i] = ((uint32_t *)values)[i] & MAGNITUDE;
    places[i] = i;
  }
  for (int shift = 0; shift < 32; shift += DIGIT) {
    uint32_t counts[DIGITS] = {0};
    for (uint32_t i = 0; i < width; i++) counts[(keys[i] >> shift) & (DIGITS - 1)]++;
    for (uint32_t d = 0, sum = 0; d < DIGITS; d++) {
      const uint32_t count = counts[d];
      counts[d] = sum;
      sum += count;
    }
    for (uint32_t i = 0; i < width; i++) {
      const uint32_t to = counts[(keys[i] >> shift) & (DIGITS - 1)]++;
      nextKeys[to] = keys[i];
      nextPlaces[to] = places[i];
    }
    uint32_t *swapped = keys;
    keys = nextKeys;
    nextKeys = swapped;
    swapped = places;
    places = nextPlaces;
    nextPlaces = swapped;
  }
  const double step = width > 1 ? 2 * spread / (width - 1) : 0;
  for (uint32_t rank = 0; rank < width; rank++) {
    const uint32_t i = places[rank];
    const double chosen = density - spread + step * rank;
    values[i] = drawn(all(first + i), key, other)[0] < (uint32_t)(chosen * 4294967296.0) ? (float)(values[i] / chosen) : 0;
  }
}

typedef double D2 __attribute__((vector_size(16)));
typedef float F2 __attribute__((vector_size(8)));
static inline D2 squared(F2 values) {
  const D2 wide = __builtin_convertvector(values, D2);
  return wide * wide;
}

/** Four elements of the sum or the mean. */
static inline F4 fused(const float *tensors, uint32_t count, uint32_t stride, const float *weights, int elects) {
  F4 total = {0}, sum = {0};
  I4 agreeing = {0};
  if (elects)
    for (uint32_t k = 0; k < count; k++) total += *(F4 *)(tensors + k * stride);
  const I4 negative = total < 0;
  for (uint32_t k = 0; k < count; k++) {
    const F4 value = *(F4 *)(tensors + k * stride), weighted = value * (F4){weights[k], weights[k], weights[k], weights[k]};
    if (!elects) sum += weighted;
    else {
      const I4 counts = ((value > 0) & ~negative) | ((value < 0) & negative);
      sum += (F4)((I4)weighted & counts);
      agreeing -= counts;
    }
  }
  if (!elects) return sum;
  agreeing -= agreeing == 0;
  return sum / __builtin_convertvector(agreeing, F4);
}

static inline double fuse_all(float *tensors, uint32_t count, uint32_t stride, uint32_t length, const float *weights, int elects) {
  D2 squares = {0};
  double last = 0;
  for (uint32_t i = 0; i < length; i += 4) {
    const F4 sum = fused(tensors + i, count, stride, weights, elects);
    *(F4 *)(tensors + i) = sum;
    if (i + 4 <= length) squares += squared(__builtin_shufflevector(sum, sum, 0, 1)) + squared(__builtin_shufflevector(sum, sum, 2, 3));
    else
      for (uint32_t k = 0; i + k < length; k++) last += (double)sum[k] * sum[k];
  }
  return squares[0] + squares[1] + last;
}

/**
 * Of `count` tensors of `stride` elements each, the weighted sum, or with `elects` the mean of what agrees with the sign of their sum (no majority counts as a
 * positive one), in place of the first. Returns the sum of its squares.
 */
EXPORT(fuse) double fuse(float *tensors, uint32_t count, uint32_t stride, uint32_t length, const float *weights, int elects) {
  return elects ? fuse_all(tensors, count, stride, length, weights, 1) : fuse_all(tensors, count, stride, length, weights, 0);
}
