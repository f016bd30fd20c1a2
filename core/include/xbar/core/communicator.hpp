#pragma once

/// Several processes that work on one thing. The library knows no transport: apps/cli has MPI's.

#include <span>

namespace xbar {

/// Every process calls the same functions in the same order; each waits for the others.
class Communicator {
 public:
  virtual ~Communicator() = default;
  Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  /// This process, in [0, size()).
  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;

  /// Puts the sums over all processes in place of the values, the same bits everywhere.
  virtual void add_up(std::span<float> values) = 0;
  virtual void add_up(std::span<double> values) = 0;
};

}  // namespace xbar
