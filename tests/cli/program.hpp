#pragma once

/// Runs the xbar program as a user would.

#include <cstdlib>
#include <filesystem>
#include <string>

#include <sys/wait.h>

#include <xbar/core/array_file.hpp>
#include <xbar/core/atomic_file.hpp>

namespace xbar_test {

/// A folder that is gone with the object.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "xbar-test-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
    path_ = pattern;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] std::string operator()(const std::string& name) const {
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

/// Runs "xbar ARGUMENTS" through the shell, in the folder `scratch`.
inline Outcome run_xbar(const Scratch& scratch, const std::string& arguments) {
  const std::string out = scratch("stdout.txt");
  const std::string err = scratch("stderr.txt");
  const std::string command = "cd '" + scratch("") + "' && '" + XBAR_PROGRAM + "' " + arguments +
                              " >'" + out + "' 2>'" + err + "' </dev/null";
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), xbar::read_file(out),
          xbar::read_file(err)};
}

}  // namespace xbar_test
