#pragma once

/// MPI, where the program was started by mpirun or srun and built with it.

#include <memory>
#include <vector>

#include <xbar/core/communicator.hpp>

#include "point_queue.hpp"

namespace xbar::cli {

/// From start() on. Of its processes, the ranks, all must come to its end.
class MpiSession final : public Communicator {
 public:
  [[nodiscard]] static bool is_built();

  /// Nothing if this process was started alone.
  /// @throws InvalidArgument if it is one of several and this build has no MPI
  static std::unique_ptr<MpiSession> start();
  /// Ends MPI, but not on the way out of an error: abort() comes then.
  ~MpiSession() override;

  /// Where this process ends with an error, the others, which would wait for it for ever, are ended
  /// too; does not return then. Without a session nothing.
  static void abort(int exit_code);

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return size_; }
  void add_up(std::span<float> values) override;
  void add_up(std::span<double> values) override;

  /// Points handed out one by one as ranks ask for them, by rank 0, which works too.
  /// @param points  as rank 0 has them; those of the others are not looked at
  [[nodiscard]] std::unique_ptr<PointQueue> queue(std::vector<std::size_t> points) const;

  /// Until all ranks are here.
  void wait_for_all() const;

  /// Variables that a program started from here must not see, lest it take itself for a rank.
  [[nodiscard]] static const std::vector<std::pair<std::string, std::string>>& hidden_variables();

 private:
  MpiSession() = default;
  int rank_ = 0;
  int size_ = 1;
};

}  // namespace xbar::cli
