#include "mpi_session.hpp"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <string>

#include <fmt/format.h>

#include <xbar/core/error.hpp>

#include "flags.hpp"

#ifdef XBAR_MPI
// The C interface alone: the old C++ one is a library of its own.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>
#endif

namespace xbar::cli {
namespace {

// How many processes were started together, by the variables of Open MPI, of MPICH and Intel MPI.
int started_together() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    if (const char* text = std::getenv(name)) return as_number<int>(text).value_or(1);
  }
  return 1;
}

}  // namespace

const std::vector<std::pair<std::string, std::string>>& MpiSession::hidden_variables() {
  static const std::vector<std::pair<std::string, std::string>> variables = {
      {"OMPI_*", ""}, {"PMI_*", ""}, {"PMIX_*", ""}, {"PRTE_*", ""}, {"HYDI_*", ""}};
  return variables;
}

#ifdef XBAR_MPI

namespace {

enum Tag { ask_tag = 1, answer_tag = 2 };

bool message_from(int source, int tag, MPI_Status* status) {
  int there = 0;
  MPI_Iprobe(source, tag, MPI_COMM_WORLD, &there, status);
  return there != 0;
}

// Rank 0: hands out, and takes for itself.
class ServingQueue final : public PointQueue {
 public:
  ServingQueue(std::vector<std::size_t> points, int ranks)
      : points_(std::move(points)),
        ended_by_(static_cast<std::size_t>(ranks), 0),
        at_work_(ranks - 1) {}

  [[nodiscard]] std::optional<std::size_t> take() override {
    if (exhausted()) return std::nullopt;
    return points_[next_++];
  }
  [[nodiscard]] bool exhausted() const override { return next_ == points_.size(); }
  void ended() override { ++ended_by_[0]; }
  [[nodiscard]] std::size_t ended_count() const override {
    std::size_t sum = 0;
    for (const long count : ended_by_) sum += static_cast<std::size_t>(count);
    return sum;
  }
  void serve() override {
    MPI_Status status{};
    while (message_from(MPI_ANY_SOURCE, ask_tag, &status)) {
      const int rank = status.MPI_SOURCE;
      long& ended = ended_by_[static_cast<std::size_t>(rank)];
      MPI_Recv(&ended, 1, MPI_LONG, rank, ask_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      const auto point = take();
      const long answer = point ? static_cast<long>(*point) : -1;
      if (!point) --at_work_;
      MPI_Send(&answer, 1, MPI_LONG, rank, answer_tag, MPI_COMM_WORLD);
    }
  }
  [[nodiscard]] bool others_at_work() const override { return at_work_ > 0; }

 private:
  std::vector<std::size_t> points_;
  std::size_t next_ = 0;
  std::vector<long> ended_by_;
  int at_work_;
};

// The others ask.
class AskingQueue final : public PointQueue {
 public:
  [[nodiscard]] std::optional<std::size_t> take() override {
    if (exhausted_) return std::nullopt;
    if (!asked_) {
      const long ended = static_cast<long>(ended_);
      MPI_Send(&ended, 1, MPI_LONG, 0, ask_tag, MPI_COMM_WORLD);
      asked_ = true;
    }
    if (!message_from(0, answer_tag, MPI_STATUS_IGNORE)) return std::nullopt;
    long answer = 0;
    MPI_Recv(&answer, 1, MPI_LONG, 0, answer_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    asked_ = false;
    if (answer >= 0) return static_cast<std::size_t>(answer);
    exhausted_ = true;
    return std::nullopt;
  }
  [[nodiscard]] bool exhausted() const override { return exhausted_; }
  void ended() override { ++ended_; }
  [[nodiscard]] std::size_t ended_count() const override { return ended_; }

 private:
  std::size_t ended_ = 0;
  bool asked_ = false;
  bool exhausted_ = false;
};

}  // namespace

bool MpiSession::is_built() { return true; }

std::unique_ptr<MpiSession> MpiSession::start() {
  if (started_together() < 2) return nullptr;
  std::unique_ptr<MpiSession> session(new MpiSession);
  int provided = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &session->rank_);
  MPI_Comm_size(MPI_COMM_WORLD, &session->size_);
  return session;
}

MpiSession::~MpiSession() {
  if (std::uncaught_exceptions() == 0) MPI_Finalize();
}

void MpiSession::abort(int exit_code) {
  int begun = 0;
  int ended = 0;
  MPI_Initialized(&begun);
  MPI_Finalized(&ended);
  if (begun != 0 && ended == 0) MPI_Abort(MPI_COMM_WORLD, exit_code);
}

std::unique_ptr<PointQueue> MpiSession::queue(std::vector<std::size_t> points) const {
  if (rank_ == 0) return std::make_unique<ServingQueue>(std::move(points), size_);
  return std::make_unique<AskingQueue>();
}

void MpiSession::wait_for_all() const { MPI_Barrier(MPI_COMM_WORLD); }

void MpiSession::add_up(std::span<float> values) {
  MPI_Allreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), MPI_FLOAT, MPI_SUM,
                MPI_COMM_WORLD);
}

void MpiSession::add_up(std::span<double> values) {
  MPI_Allreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), MPI_DOUBLE, MPI_SUM,
                MPI_COMM_WORLD);
}

#else

bool MpiSession::is_built() { return false; }

std::unique_ptr<MpiSession> MpiSession::start() {
  const int together = started_together();
  if (together < 2) return nullptr;
  throw InvalidArgument(fmt::format(
      "started as one of {} processes, and this xbar is built without MPI; build it with "
      "-DXBAR_MPI=ON, or start it alone",
      together));
}

MpiSession::~MpiSession() = default;

void MpiSession::abort(int) {}

std::unique_ptr<PointQueue> MpiSession::queue(std::vector<std::size_t> points) const {
  return std::make_unique<LocalQueue>(std::move(points));
}

void MpiSession::wait_for_all() const {}

void MpiSession::add_up(std::span<float>) {}

void MpiSession::add_up(std::span<double>) {}

#endif

}  // namespace xbar::cli
