#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "program.hpp"
#include "support/catch.hpp"

using nlohmann::json;
using xbar_test::Contains;
using xbar_test::run_xbar;
using xbar_test::Scratch;

namespace {

namespace fs = std::filesystem;

bool has_mpi(const Scratch& scratch) {
  const bool built = json::parse(run_xbar(scratch, "info --json").out).at("mpi").get<bool>();
  if (built && std::system("command -v mpirun >/dev/null") == 0) return true;
  WARN("skipped: no MPI here");
  return false;
}

// xbar ARGUMENTS in two processes; standard error in err.txt.
int run_two(const Scratch& scratch, const std::string& arguments, const std::string& before = "",
            const std::string& after = "") {
  const std::string line = "cd '" + scratch("") +
                           "'; export OMPI_ALLOW_RUN_AS_ROOT=1 "
                           "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1\n" +
                           before + "mpirun --oversubscribe -n 2 '" + XBAR_PROGRAM + "' " +
                           arguments + " >out.txt 2>err.txt </dev/null" + after + "\n";
  const int status = std::system(line.c_str());
  return WEXITSTATUS(status);
}

std::vector<json> lines(const Scratch& scratch, const std::string& path) {
  std::istringstream text(xbar::read_file(scratch(path)));
  std::vector<json> found;
  for (std::string line; std::getline(text, line);) found.push_back(json::parse(line));
  return found;
}

constexpr const char* small =
    "train --model lenet5 --data glyphs --train-images 200 --test-images 51 --batch 30 "
    "--epochs 2 --log-steps 1 --on-ohm 20000 ";

}  // namespace

TEST_CASE("cli/train: two ranks follow the curve of one", "[cli][ranks]") {
  const Scratch scratch;
  if (!has_mpi(scratch)) return;
  const std::string mode = GENERATE("ideal", "in-situ", "hardware-aware");
  const std::string flags = small + std::string("--mode ") + mode;
  REQUIRE(run_xbar(scratch, flags + " --out one").code == 0);
  REQUIRE(run_two(scratch, flags + " --out two") == 0);
  REQUIRE_THAT(xbar::read_file(scratch("out.txt")), Contains("next: xbar report two"));
  const std::string leg = mode == "ideal" ? "/ideal" : "/" + mode + "-20000ohm";
  const auto one = lines(scratch, "one" + leg + "/metrics.jsonl");
  const auto two = lines(scratch, "two" + leg + "/metrics.jsonl");
  REQUIRE(one.size() == two.size());
  for (std::size_t k = 0; k < one.size(); ++k) {
    REQUIRE(one[k].at("kind") == two[k].at("kind"));
    if (one[k].at("kind") == "epoch") continue;
    const double loss = one[k].at("loss");
    CAPTURE(k, loss);
    CHECK(std::abs(loss - two[k].at("loss").get<double>()) < 1e-5 * loss);
  }
  // What two began one may finish.
  REQUIRE(fs::exists(scratch("two" + leg + "/weights.safetensors")));
}

TEST_CASE("cli/train: ranks that are killed or interrupted go on", "[cli][ranks]") {
  const Scratch scratch;
  if (!has_mpi(scratch)) return;
  const std::string flags =
      "train --model lenet5 --data glyphs --train-images 6000 --test-images "
      "50 --batch 10 --epochs 2 --log-steps 1 --mode ideal ";
  REQUIRE(run_two(scratch, flags + "--out whole") == 0);
  const std::string signal = GENERATE("KILL", "TERM");
  // Once the first steps are done: mpirun hands TERM on, and ends the others of one that is killed.
  const std::string end =
      " & P=$!\nfor k in $(seq 1000); do [ -s run/ideal/metrics.jsonl ] && break; sleep 0.01; "
      "done\n" +
      (signal == "TERM" ? std::string("kill -TERM $P\n")
                        : "kill -KILL $(pgrep -P $P -f -- '--out run' | tail -1)\n") +
      "wait $P; echo $? >code.txt";
  run_two(scratch, flags + "--out run --checkpoint-seconds 0.05", "", end);
  CAPTURE(xbar::read_file(scratch("err.txt")));
  REQUIRE(xbar::read_file(scratch("code.txt")) != "0\n");
  REQUIRE_FALSE(fs::exists(scratch("run/ideal/weights.safetensors")));
  REQUIRE(run_two(scratch, flags + "--out run --checkpoint-seconds 0.05 --resume") == 0);
  REQUIRE(xbar::read_file(scratch("run/ideal/weights.safetensors")) ==
          xbar::read_file(scratch("whole/ideal/weights.safetensors")));
}

TEST_CASE("cli/train: what ranks cannot train is refused", "[cli][ranks]") {
  const Scratch scratch;
  if (!has_mpi(scratch)) return;
  REQUIRE(run_two(scratch, std::string(small) + "--mode in-situ --device constant-step "
                                                "--update-rule stochastic --momentum 0 --out a") ==
          2);
  REQUIRE_THAT(xbar::read_file(scratch("err.txt")),
               Contains("--update-rule: expected one that works on the gradient"));
  REQUIRE(run_two(scratch,
                  std::string("train --model lenet5 --data glyphs --train-images 181 --batch 30 "
                              "--mode ideal --out b")) == 2);
  REQUIRE_THAT(xbar::read_file(scratch("err.txt")), Contains("one for each process, found 1"));
  REQUIRE_FALSE(fs::exists(scratch("a")));
}
