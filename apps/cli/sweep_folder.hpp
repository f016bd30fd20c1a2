#pragma once

/// What a sweep has on disk:
///
///     DIR/study.toml               the study
///     DIR/points/ID/config.toml    one point: the configuration of its command,
///                   point.json       how it ended, and its results; written last
///                   run/             the command's own folder, if it has one
///                   output.txt, error.txt
///     DIR/table.csv, table.h5      a row a point; equal whatever the order of the runs
///     DIR/times.csv                times, rates and the machine, which differ
///     DIR/run.json                 how the sweep stands, for xbar report
///     DIR/summary.csv              mean and confidence interval over the seeds

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <xbar/sweep/study.hpp>
#include <xbar/sweep/table.hpp>

namespace xbar::cli {

/// How a point ended.
struct PointRecord {
  int exit_code = 0;
  std::string error;  ///< what the command said; empty after exit code 0
  double seconds = 0;
  nlohmann::ordered_json results;
};

/// The keys that points differ in, `seed` among them, in the order of the study.
[[nodiscard]] std::vector<std::string> swept_names(const std::vector<sweep::Point>& points);

class SweepFolder {
 public:
  explicit SweepFolder(std::filesystem::path path) : path_(std::move(path)) {}

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path of(const sweep::Point& point) const {
    return path_ / "points" / point.identity;
  }

  /// Nothing for a point that has not ended.
  /// @throws IoError naming the file for one that is not its record
  [[nodiscard]] std::optional<PointRecord> record(const sweep::Point& point) const;
  void write(const sweep::Point& point, const PointRecord& record) const;

  /// table.csv, table.h5 (where HDF5 is there), times.csv and summary.csv of the points that have
  /// ended. @return how many have, and how many of them failed
  struct Count {
    std::size_t ended = 0;
    std::size_t failed = 0;
  };
  Count write_tables(const sweep::Study& study, const std::vector<sweep::Point>& points) const;

 private:
  std::filesystem::path path_;
};

/// That no other sweep runs in the folder, or in this share of it, for as long as this lives; also
/// after a crash the lock is free.
class FolderLock {
 public:
  /// @throws InvalidArgument if there is one
  FolderLock(const std::filesystem::path& folder, const std::string& share);
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();

 private:
  int file_ = -1;
};

}  // namespace xbar::cli
