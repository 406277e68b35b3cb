#include "pool.h"

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#endif

#include <chrono>
#include <exception>
#include <system_error>
#include <thread>

namespace nomoat {

// How long a thread without work stays awake: about as long as waking one takes. Longer would take time from other processes.
constexpr auto kSpin = std::chrono::microseconds(50);

struct Pool::Job {
  const std::function<void(int)>& item;
  const int count;
  int places;  // for further workers; guarded by the pool's mutex, like `working`
  int working = 0;
  std::atomic<int> next{0};
  std::exception_ptr failure = nullptr;  // the first; guarded by the pool's mutex

  // Takes items until none is left. What one of them throws is kept for run(), and no further one is begun: an exception that leaves a thread ends the process.
  void take(std::mutex& mutex) {
    try {
      for (int i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) item(i);
    } catch (...) {
      next.store(count, std::memory_order_relaxed);
      const std::lock_guard<std::mutex> lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  }
};

static void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  asm volatile("yield");
#endif
}

// Waits a little for `done` without giving the core away; whether it came.
template <class Done>
static bool spin(Done&& done) {
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 32; i++) {
      if (done()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return done();
}

// Threads sleep in this code for as long as the process lives, so it must never be unloaded. Elsewhere the linker sees to it (native/build.mjs).
static void stayLoaded() {
#if defined(_WIN32)
  HMODULE self;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, reinterpret_cast<LPCWSTR>(&stayLoaded), &self);
#endif
}

Pool& Pool::shared() {
  static Pool* pool = [] {
    stayLoaded();
    return new Pool();
  }();
  return *pool;
}

void Pool::grow(int workers) {
  try {
    for (; workers_ < workers; workers_++) std::thread([this] { work(); }).detach();
  } catch (const std::system_error&) {
    // The system gives no more threads: fewer compute the same.
  }
}

void Pool::run(int threads, int count, const std::function<void(int)>& item) {
  Job job{item, count, (threads < count ? threads : count) - 1};
  if (job.places <= 0) {
    job.take(mutex_);
    if (job.failure) std::rethrow_exception(job.failure);
    return;
  }
  const std::lock_guard<std::mutex> alone(one_);
  grow(job.places);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    job_ = &job;
    generation_.fetch_add(1, std::memory_order_release);
  }
  wakes_.notify_all();
  job.take(mutex_);
  std::unique_lock<std::mutex> lock(mutex_);
  job_ = nullptr;
  leaves_.wait(lock, [&] { return job.working == 0; });
  if (job.failure) std::rethrow_exception(job.failure);
}

void Pool::work() {
  unsigned seen = 0;
  for (;;) {
    spin([&] { return generation_.load(std::memory_order_acquire) != seen; });
    std::unique_lock<std::mutex> lock(mutex_);
    wakes_.wait(lock, [&] { return generation_.load(std::memory_order_relaxed) != seen; });
    seen = generation_.load(std::memory_order_relaxed);
    Job* job = job_;
    if (!job || job->places == 0) continue;
    job->places--;
    job->working++;
    lock.unlock();
    job->take(mutex_);
    lock.lock();
    if (--job->working == 0) leaves_.notify_all();
  }
}

}  // namespace nomoat
