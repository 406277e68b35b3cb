// Threads of our own. A job is a number of items that whoever is awake takes one after the other; what an item computes does not depend
// on who takes it, so results do not depend on the number of threads.
#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>

namespace nomoat {

class Pool {
 public:
  // The one of this process. It is never taken down: its threads sleep when nothing is to be done and end with the process.
  static Pool& shared();

  // Calls item(i) for each i below `count`, on at most `threads` threads, this one included; returns when all are done.
  // Throws what an item threw, once no thread is at one any more.
  // A worker that is late, because another process has its core, is not waited for: only one that has taken an item is.
  void run(int threads, int count, const std::function<void(int)>& item);

 private:
  struct Job;
  void work();
  void grow(int workers);

  std::mutex one_;  // One job at a time, whichever JavaScript thread it comes from.
  std::mutex mutex_;
  std::condition_variable wakes_, leaves_;
  Job* job_ = nullptr;
  int workers_ = 0;
  std::atomic<unsigned> generation_{0};
};

}  // namespace nomoat
