#pragma once

/// Another program, run beside this one.

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace xbar::cli {

/// How a program ended: its exit code, or 128 and the signal that ended it, as shells count.
struct ProcessEnd {
  int code = 0;
  bool by_signal = false;
};

class ChildProcess {
 public:
  /// Starts it; standard input is empty, standard output and error go to files. It is killed should
  /// this process end before it.
  /// @param arguments    the program's path first
  /// @param environment  replaces or adds; an empty value takes a variable away, as does a name
  ///                     that ends in '*' all that begin so
  /// @throws IoError if a file cannot be written or the program not be started
  ChildProcess(const std::vector<std::string>& arguments,
               const std::vector<std::pair<std::string, std::string>>& environment,
               const std::filesystem::path& output, const std::filesystem::path& error);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ChildProcess(ChildProcess&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  ChildProcess& operator=(ChildProcess&&) = delete;
  /// Ends it if it has not ended, and waits for that.
  ~ChildProcess();

  /// Nothing while it runs, and once its end has been told.
  [[nodiscard]] std::optional<ProcessEnd> poll();

  /// SIGTERM.
  void ask_to_end() const;

 private:
  pid_t id_ = -1;
};

}  // namespace xbar::cli
