// Chunks of a micro-batch's rows, shared out among threads.
#pragma once
#include "pool.h"
#include "shape.h"

namespace nomoat {

inline size_t rowsOf(size_t chunk, size_t rows) { return rows - chunk * kChunk < kChunk ? rows - chunk * kChunk : kChunk; }
inline size_t chunksOf(size_t rows) { return (rows + kChunk - 1) / kChunk; }

// Calls work(first row, rows) for every chunk, in any order.
template <class Work>
void eachChunk(const Shape& shape, size_t rows, Work&& work) {
  Pool::shared().run(shape.threads, static_cast<int>(chunksOf(rows)),
                     [&](int chunk) { work(chunk * kChunk, rowsOf(chunk, rows)); });
}

// Calls work(first row, rows, lane), the chunks of a lane one after the other.
template <class Work>
void eachLane(const Shape& shape, size_t rows, Work&& work) {
  Pool::shared().run(shape.threads, kGradientLanes, [&](int lane) {
    for (size_t chunk = lane; chunk < chunksOf(rows); chunk += kGradientLanes) work(chunk * kChunk, rowsOf(chunk, rows), lane);
  });
}

}  // namespace nomoat
