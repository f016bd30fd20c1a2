#pragma once

/// Who runs which point of a sweep.

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

namespace xbar::cli {

class PointQueue {
 public:
  virtual ~PointQueue() = default;
  PointQueue() = default;
  PointQueue(const PointQueue&) = delete;
  PointQueue& operator=(const PointQueue&) = delete;

  /// The next point for this process; nothing now, or, once exhausted(), ever.
  [[nodiscard]] virtual std::optional<std::size_t> take() = 0;
  [[nodiscard]] virtual bool exhausted() const = 0;
  /// One that was taken has ended.
  virtual void ended() = 0;
  /// How many have, everywhere, as far as is known here.
  [[nodiscard]] virtual std::size_t ended_count() const = 0;
  /// Lets other processes go on; called often.
  virtual void serve() {}
  /// Whether points that this process does not run are still under way.
  [[nodiscard]] virtual bool others_at_work() const { return false; }
};

/// Of one process.
class LocalQueue final : public PointQueue {
 public:
  explicit LocalQueue(std::vector<std::size_t> points) : points_(std::move(points)) {}

  [[nodiscard]] std::optional<std::size_t> take() override {
    if (exhausted()) return std::nullopt;
    return points_[next_++];
  }
  [[nodiscard]] bool exhausted() const override { return next_ == points_.size(); }
  void ended() override { ++ended_; }
  [[nodiscard]] std::size_t ended_count() const override { return ended_; }

 private:
  std::vector<std::size_t> points_;
  std::size_t next_ = 0;
  std::size_t ended_ = 0;
};

}  // namespace xbar::cli
