#include "pytorch_opponent.hpp"

#include <csignal>
#include <cstdlib>
#include <stdexcept>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <xbar/core/parallel.hpp>

namespace xbar_bench {
namespace {

// The one that Debian's python3-torch belongs to, whatever else is in the PATH.
constexpr const char* python = "/usr/bin/python3";

}  // namespace

PytorchOpponent::PytorchOpponent(const std::string& script, const std::string& wait_policy) {
  std::signal(SIGPIPE, SIG_IGN);  // a process that has ended is noticed by what write() returns
  int to[2];
  int from[2];
  if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) {
    throw std::runtime_error("pytorch_training: no pipe");
  }
  const std::string threads = std::to_string(xbar::thread_count());
  process_ = fork();
  if (process_ < 0) throw std::runtime_error("pytorch_training: no process");
  if (process_ == 0) {
    dup2(to[0], STDIN_FILENO);
    dup2(from[1], STDOUT_FILENO);
    // Debian's OpenBLAS has no kernels of its own for CPUs newer than itself, and its threads
    // compete with OpenMP's.
    setenv("OPENBLAS_CORETYPE", "SKYLAKEX", 0);
    setenv("OPENBLAS_NUM_THREADS", "1", 0);
    setenv("OMP_WAIT_POLICY", wait_policy.c_str(), 1);
    // As many as xbar has: PyTorch's own count of the cores may be one of two.
    setenv("OMP_NUM_THREADS", threads.c_str(), 0);
    execl(python, python, script.c_str(), nullptr);
    _exit(127);
  }
  close(to[0]);
  close(from[1]);
  to_ = to[1];
  from_ = from[0];
  version_ = read_line();
  // Threads of PyTorch that wait awake would take a core from the others' turns.
  kill(process_, SIGSTOP);
}

PytorchOpponent::~PytorchOpponent() {
  kill(process_, SIGCONT);
  close(to_);  // ends its loop
  close(from_);
  waitpid(process_, nullptr, 0);
}

// Without the line's end; empty when nothing more comes.
std::string PytorchOpponent::read_line() {
  for (;;) {
    const std::size_t end = unread_.find('\n');
    if (end != std::string::npos) {
      std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return line;
    }
    char part[4096];
    const ssize_t count = read(from_, part, sizeof part);
    if (count <= 0) return {};
    unread_.append(part, static_cast<std::size_t>(count));
  }
}

void PytorchOpponent::run(const std::string& model, long parameters, long batch, long steps,
                          StepTimes& times) {
  const std::string request = fmt::format("{} {} {} {}\n", model, parameters, batch, steps);
  kill(process_, SIGCONT);
  const bool sent =
      write(to_, request.data(), request.size()) == static_cast<ssize_t>(request.size());
  const std::string answer = sent ? read_line() : "";
  kill(process_, SIGSTOP);
  if (answer.empty()) throw std::runtime_error("pytorch_training: ended before its answer");
  const auto phases = nlohmann::json::parse(answer);
  for (long k = 0; k < steps; ++k) {
    times.add(phases.at("forward").at(k), phases.at("backward").at(k), phases.at("update").at(k));
  }
}

}  // namespace xbar_bench
