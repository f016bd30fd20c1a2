#include "child_process.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xbar/core/error.hpp>

namespace xbar::cli {
namespace {

constexpr int signal_base = 128;

std::vector<std::string> changed_environment(
    const std::vector<std::pair<std::string, std::string>>& changes) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('='));
    const bool changed = std::any_of(changes.begin(), changes.end(), [&](const auto& change) {
      const std::string& other = change.first;
      return other.ends_with('*') ? name.starts_with(other.substr(0, other.size() - 1))
                                  : name == other;
    });
    if (!changed) result.emplace_back(text);
  }
  for (const auto& [name, value] : changes) {
    if (!value.empty()) result.push_back(fmt::format("{}={}", name, value));
  }
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

int open_for(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) {
    throw IoError(
        fmt::format("{}: cannot write the file: {}", path.string(), std::strerror(errno)));
  }
  return file;
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& arguments,
                           const std::vector<std::pair<std::string, std::string>>& environment,
                           const std::filesystem::path& output,
                           const std::filesystem::path& error) {
  // Nothing is allocated between fork and exec.
  std::vector<std::string> argument_texts = arguments;
  std::vector<std::string> environment_texts = changed_environment(environment);
  const std::vector<char*> argument_list = pointers(argument_texts);
  const std::vector<char*> environment_list = pointers(environment_texts);
  const int out = open_for(output);
  const int err = open_for(error);
  const int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const pid_t parent = ::getpid();
  id_ = ::fork();
  if (id_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(signal_base + SIGKILL);
    ::dup2(in, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    ::execve(argument_list.front(), argument_list.data(), environment_list.data());
    ::_exit(signal_base - 1);  // as shells say that there is no such program
  }
  for (const int file : {in, out, err}) ::close(file);
  if (id_ < 0) {
    throw IoError(
        fmt::format("{}: cannot be started: {}", arguments.front(), std::strerror(errno)));
  }
}

ChildProcess::~ChildProcess() {
  if (id_ < 0) return;
  ::kill(id_, SIGKILL);
  ::waitpid(id_, nullptr, 0);
}

std::optional<ProcessEnd> ChildProcess::poll() {
  if (id_ < 0) return std::nullopt;  // its end was told before
  int status = 0;
  if (::waitpid(id_, &status, WNOHANG) != id_) return std::nullopt;
  id_ = -1;
  if (WIFSIGNALED(status)) return ProcessEnd{signal_base + WTERMSIG(status), true};
  return ProcessEnd{WEXITSTATUS(status), false};
}

void ChildProcess::ask_to_end() const {
  if (id_ > 0) ::kill(id_, SIGTERM);
}

}  // namespace xbar::cli
