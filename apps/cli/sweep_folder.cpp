#include "sweep_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/core/version.hpp>

#include "flat_json.hpp"

namespace xbar::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// A text without the quotes that TOML puts around it.
std::string plain(const std::string& literal) {
  if (literal.size() < 2) return literal;
  const char quote = literal.front();
  if ((quote != '"' && quote != '\'') || literal.back() != quote) return literal;
  return literal.substr(1, literal.size() - 2);
}

bool is_constant(const sweep::Table& table, const std::string& name) {
  const std::size_t column = table.column(name);
  for (std::size_t r = 1; r < table.size(); ++r) {
    if (table.cell(r, column) != table.cell(0, column)) return false;
  }
  return true;
}

}  // namespace

std::vector<std::string> swept_names(const std::vector<sweep::Point>& points) {
  std::vector<std::string> names;
  for (const sweep::Point& point : points) {
    for (const auto& [key, value] : point.swept) {
      if (std::find(names.begin(), names.end(), key) == names.end()) names.push_back(key);
    }
  }
  return names;
}

std::optional<PointRecord> SweepFolder::record(const sweep::Point& point) const {
  const fs::path file = of(point) / "point.json";
  if (!fs::exists(file)) return std::nullopt;
  try {
    const Json document = Json::parse(read_file(file));
    if (document.at("config") != point.config) {
      throw IoError(fmt::format("{}: expected the record of this study's point, found another's",
                                file.string()));
    }
    return PointRecord{document.at("exit_code"), document.at("error"), document.at("seconds"),
                       document.at("results")};
  } catch (const nlohmann::json::exception& error) {
    throw IoError(fmt::format("{}: not the record of a point: {}", file.string(), error.what()));
  }
}

void SweepFolder::write(const sweep::Point& point, const PointRecord& record) const {
  const Json document = {{"config", point.config},
                         {"exit_code", record.exit_code},
                         {"error", record.error},
                         {"seconds", record.seconds},
                         {"results", record.results}};
  write_file_atomically(of(point) / "point.json", document.dump(1) + "\n");
}

SweepFolder::Count SweepFolder::write_tables(const sweep::Study& study,
                                             const std::vector<sweep::Point>& points) const {
  Count count;
  sweep::Table table;
  sweep::Table times;
  for (const sweep::Point& point : points) {
    const std::optional<PointRecord> found = record(point);
    if (!found) continue;
    ++count.ended;
    if (found->exit_code != 0) ++count.failed;
    std::vector<std::pair<std::string, std::string>> cells = {{"point", point.identity}};
    for (const auto& [key, value] : point.swept) cells.emplace_back(key, plain(value));
    std::vector<std::pair<std::string, std::string>> time_cells = cells;
    cells.emplace_back("status", found->exit_code == 0 ? "done" : "failed");
    cells.emplace_back("error", found->error);
    time_cells.emplace_back("seconds", fmt::to_string(found->seconds));
    for (const auto& [name, value] : flat(found->results)) {
      (is_incidental(name) ? time_cells : cells).emplace_back(name, value);
    }
    table.add_row(cells);
    times.add_row(time_cells);
  }
  const std::string comment = fmt::format(
      "xbar {}, sweep of {}: {} of {} points, {} of them failed\n"
      "units stand in the names, as in the command's flags and its --json",
      version, study.command, count.ended, points.size(), count.failed);
  write_file_atomically(path_ / "table.csv", to_csv(table, comment));
  if (sweep::has_hdf5()) write_hdf5(path_ / "table.h5", table, comment);
  write_file_atomically(path_ / "times.csv", to_csv(times, comment));
  if (study.seeds.size() > 1) {
    std::vector<std::string> keys = swept_names(points);
    keys.erase(std::remove(keys.begin(), keys.end(), "seed"), keys.end());
    std::vector<std::string> values = number_columns(table);
    // What is the same everywhere is a setting that the results repeat, as are seeds.
    std::erase_if(values, [&](const std::string& name) {
      return name == "seed" || name.starts_with("seeds.") || is_constant(table, name) ||
             std::find(keys.begin(), keys.end(), name) != keys.end();
    });
    write_file_atomically(
        path_ / "summary.csv",
        to_csv(summary(table, keys, values),
               comment +
                   "\nover the seeds: mean, deviation of one run, 95 % confidence interval of "
                   "the mean (Student's t)"));
  }
  return count;
}

FolderLock::FolderLock(const fs::path& folder, const std::string& share) {
  std::error_code error;
  fs::create_directories(folder, error);
  const fs::path path = folder / fmt::format(".lock{}", share.empty() ? "" : "-" + share);
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file_ < 0) {
    throw IoError(
        fmt::format("{}: cannot write the file: {}", path.string(), std::strerror(errno)));
  }
  // A file system that knows no locks does without.
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(file_);
    throw InvalidArgument(
        fmt::format("out: another sweep runs in {}; wait for it, or end it", folder.string()));
  }
}

FolderLock::~FolderLock() { ::close(file_); }

}  // namespace xbar::cli
