#pragma once

/// Keeping an engine that threads itself, oneDNN, to the thread that calls it.

namespace xbar {

/// While it lives, parallel regions that this thread opens have this thread alone: what it makes
/// and runs in oneDNN is cut and summed the same way on every machine.
class OneThread {
 public:
  OneThread();
  ~OneThread();
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

}  // namespace xbar
