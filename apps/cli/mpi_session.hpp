#pragma once

/// MPI, where the program was started by mpirun or srun and built with it.

#include <memory>
#include <vector>

#include "point_queue.hpp"

namespace xbar::cli {

/// From the first call of start() to the end of the program.
class MpiSession {
 public:
  [[nodiscard]] static bool is_built();

  /// Nothing if this process was started alone.
  /// @throws InvalidArgument if it is one of several and this build has no MPI
  static std::unique_ptr<MpiSession> start();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
  /// Ends MPI, but not on the way out of an error: abort() comes then.
  ~MpiSession();

  /// Where this process ends with an error, the others, which would wait for it for ever, are ended
  /// too; does not return then. Without a session nothing.
  static void abort(int exit_code);

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }

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
