#pragma once

/// run.json as pages read it: every complaint names the file and the key.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace xbar::report::pages {

/// A value in a JSON file together with where it stands. Keeps the file's content alive. The
/// getters throw IoError "FILE: KEY: expected ..., found ..." if it is not what they ask for.
class Value {
 public:
  /// The whole of a JSON file. @throws IoError if it cannot be read or is not JSON.
  [[nodiscard]] static Value of_file(const std::filesystem::path& path);

  /// The lines of a file with a JSON value on each. A last line that does not end is still being
  /// written, or never was: it is left out. @throws IoError as of_file, naming the line
  [[nodiscard]] static std::vector<Value> of_lines(const std::filesystem::path& path);

  /// The member `key` of an object; it must be there.
  [[nodiscard]] Value at(std::string_view key) const;
  /// The same, or nothing if it is absent or null.
  [[nodiscard]] std::optional<Value> find(std::string_view key) const;

  [[nodiscard]] double number() const;  ///< null, which is how JSON writes NaN, is NaN
  [[nodiscard]] long long count() const;
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool truth() const;
  [[nodiscard]] std::vector<Value> items() const;
  [[nodiscard]] std::vector<double> numbers() const;
  [[nodiscard]] std::vector<std::pair<std::string, Value>> members() const;

  /// Every number below, by the keys that lead to it: "runs.ideal.test_loss". An object in a list
  /// is called by its "name", "strategy" or "model" (with its place where that
  /// comes again), else by its place. Lists of more than 64 are
  /// left out.
  [[nodiscard]] std::vector<std::pair<std::string, double>> numbers_below() const;

  [[nodiscard]] double number(std::string_view key) const { return at(key).number(); }
  [[nodiscard]] long long count(std::string_view key) const { return at(key).count(); }
  [[nodiscard]] std::string text(std::string_view key) const { return at(key).text(); }

  /// @throws IoError, always
  [[noreturn]] void fail(std::string_view expected, std::string_view found) const;

 private:
  using Json = nlohmann::ordered_json;

  Value(std::shared_ptr<const Json> json, std::shared_ptr<const std::string> file, std::string key)
      : json_(std::move(json)), file_(std::move(file)), key_(std::move(key)) {}
  [[nodiscard]] Value child(const Json& json, std::string key) const;
  [[noreturn]] void refuse(std::string_view expected) const;

  std::shared_ptr<const Json> json_;  ///< shares ownership of the whole document
  std::shared_ptr<const std::string> file_;
  std::string key_;  ///< "results.runs[0].epochs"
};

/// A run folder.
struct Run {
  std::filesystem::path folder;
  std::string version;
  std::string command;
  bool finished = false;
  std::vector<std::pair<std::string, std::string>> settings;  ///< those with a value
  Value results;

  /// A part of the results. It may be missing only while the run is unfinished.
  [[nodiscard]] std::optional<Value> part(std::string_view key) const;
  /// The file that `name` names. @throws IoError if that is not a place inside the folder.
  [[nodiscard]] std::filesystem::path file(const Value& name) const;
};

/// @throws IoError if run.json is missing, damaged or something else
[[nodiscard]] Run read_run(const std::filesystem::path& folder);

}  // namespace xbar::report::pages
