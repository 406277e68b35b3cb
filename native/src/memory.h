// Arrays that begin on a cache line, and matrices over memory of others.
#pragma once
#include <atomic>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

namespace nomoat {

// For tests: so many more arrays are given, and then one is not. Below zero all are.
inline std::atomic<int> arraysLeft{-1};
inline bool nextFails() { return arraysLeft.load(std::memory_order_relaxed) >= 0 && arraysLeft.fetch_sub(1) == 0; }

// Only grows: scratch memory is taken again and again in the same sizes.
template <class T>
class Array {
 public:
  Array() = default;
  explicit Array(size_t length) { take(length); }
  Array(Array&& other) noexcept : data_(other.data_), length_(other.length_) { other.data_ = nullptr, other.length_ = 0; }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  Array& operator=(Array&& other) noexcept {
    std::swap(data_, other.data_), std::swap(length_, other.length_);
    return *this;
  }
  ~Array() { release(); }

  // At least `length` numbers; zeros when they are new, else whatever stood there.
  T* take(size_t length) {
    if (length <= length_) return data_;
    // Where there is no memory, the next one asks again.
    release();
    const size_t bytes = (length * sizeof(T) + kLine - 1) / kLine * kLine;
    if (!nextFails()) data_ = static_cast<T*>(::operator new(bytes, std::align_val_t(kLine), std::nothrow));
    if (!data_) throw std::bad_alloc();
    std::memset(data_, 0, bytes);
    length_ = length;
    return data_;
  }
  T* data() const { return data_; }

 private:
  static constexpr size_t kLine = 64;

  void release() {
    ::operator delete(data_, std::align_val_t(kLine));
    data_ = nullptr, length_ = 0;
  }

  T* data_ = nullptr;
  size_t length_ = 0;
};

constexpr size_t roundUp(size_t n, size_t to) { return (n + to - 1) / to * to; }

// Rows `stride` numbers apart.
template <class T>
struct Rows {
  T* data;
  size_t stride;
  T* operator[](size_t row) const { return data + row * stride; }
  Rows from(size_t row) const { return {data + row * stride, stride}; }
  Rows columns(size_t first) const { return {data + first, stride}; }
  operator Rows<const T>() const { return {data, stride}; }
};

}  // namespace nomoat
