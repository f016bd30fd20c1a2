#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <pty.h>
#include <unistd.h>

#include "program.hpp"
#include "support/catch.hpp"

using nlohmann::json;
using xbar_test::Contains;
using xbar_test::run_xbar;
using xbar_test::Scratch;

namespace fs = std::filesystem;

namespace {

// 10 steps an epoch.
const std::string small =
    "train --model mlp --data glyphs --train-images 640 --test-images 100 --batch 64 --on-ohm 50e3 "
    "--log-steps 4 ";

json run_file(const Scratch& scratch, const std::string& folder) {
  return json::parse(xbar::read_file(scratch(folder + "/run.json")));
}

std::vector<json> metrics(const Scratch& scratch, const std::string& leg) {
  std::ifstream file(scratch(leg + "/metrics.jsonl"));
  std::vector<json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
  return lines;
}

std::vector<json> without_times(std::vector<json> lines) {
  for (json& line : lines) {
    for (const char* key : {"seconds", "images_per_second", "phase_seconds"}) line.erase(key);
  }
  return lines;
}

std::string weights(const Scratch& scratch, const std::string& leg) {
  return xbar::read_file(scratch(leg + "/weights.safetensors"));
}

// A shell script in the scratch folder; $XBAR is the program.
void shell(const Scratch& scratch, const std::string& script) {
  xbar::write_file_atomically(scratch("script.sh"), "XBAR='" XBAR_PROGRAM "'\n" + script);
  REQUIRE(std::system(("cd '" + scratch("") + "' && sh script.sh 2>/dev/null").c_str()) == 0);
}

}  // namespace

TEST_CASE("cli/train_files: a run folder tells what was done, and repeats it", "[cli]") {
  const Scratch scratch;
  const auto train = run_xbar(scratch, small +
                                           "--epochs 2 --optimizer adam --learning-rate 1e-3 "
                                           "--pixel-mean 0.5 --pixel-deviation 0.25 --out run");
  CAPTURE(train.err);
  REQUIRE(train.code == 0);
  REQUIRE_THAT(train.out, Contains("time: data ") && Contains("evaluation "));
  const json run = run_file(scratch, "run");
  for (const char* key : {"xbar", "commit", "compiler", "gemm_engine", "isa"}) {
    REQUIRE_FALSE(run.at("versions").at(key).get<std::string>().empty());
  }
  REQUIRE(run.at("versions").at("threads") >= 1);
  REQUIRE(run.at("results").at("seeds").at("data") == 1);
  const json legs = run.at("results").at("runs");
  REQUIRE(legs.size() == 2);
  for (const json& leg : legs) {
    const auto name = leg.at("name").get<std::string>();
    const bool wired = leg.at("arithmetic") == "wired";
    CAPTURE(name);
    // Steps 4, 8, 12, 16, 20 of the run, of which the tenth and twentieth end an epoch.
    const std::vector<json> lines = metrics(scratch, "run/" + name);
    std::string kinds;
    for (const json& line : lines) kinds += line.at("kind") == "step" ? 's' : 'e';
    REQUIRE(kinds == "ssessse");
    REQUIRE(lines[3].at("epoch") == 2);
    REQUIRE(lines[3].at("step") == 2);
    REQUIRE(lines[6].at("epoch") == 2);
    REQUIRE(lines[6].at("test_accuracy") == leg.at("test_accuracy"));
    REQUIRE(lines[2].at("train_loss") > lines[6].at("train_loss"));
    // Phases add up over lines and within them.
    for (const auto& [phase, seconds] : leg.at("phase_seconds").items()) {
      const double both = lines[2].at("phase_seconds").at(phase).get<double>() +
                          lines[6].at("phase_seconds").at(phase).get<double>();
      REQUIRE_THAT(seconds.get<double>(),
                   xbar_test::WithinRel(both, 1e-9) || xbar_test::WithinAbs(both, 1e-12));
    }
    REQUIRE(leg.at("phase_seconds").at("forward") > 0);
    const bool certified = fs::exists(scratch("run/" + name + "/certificate.json"));
    REQUIRE(certified == wired);
    if (wired) {
      REQUIRE(json::parse(xbar::read_file(scratch("run/" + name + "/certificate.json"))) ==
              leg.at("certificate"));
    }
  }

  // The configuration repeats the run, with whatever is given in addition.
  REQUIRE_THAT(xbar::read_file(scratch("run/config.toml")),
               Contains("model = \"mlp\"\n") && Contains("epochs = 2\n") &&
                   Contains("learning-rate = 0.001\n") && Contains("on-ohm = [50000]\n") &&
                   Contains("pixel-mean = [0.5]\n") && Contains("wordline-ohm = ") &&
                   Contains("# momentum = 0.9\n") && Contains("beta1 = 0.9\n"));
  const auto again = run_xbar(scratch, "train --config run/config.toml --out again");
  CAPTURE(again.err);
  REQUIRE(again.code == 0);
  for (const std::string leg : {"ideal", "in-situ-50000ohm"}) {
    REQUIRE(weights(scratch, "run/" + leg) == weights(scratch, "again/" + leg));
    REQUIRE(without_times(metrics(scratch, "run/" + leg)) ==
            without_times(metrics(scratch, "again/" + leg)));
  }
  REQUIRE(xbar::read_file(scratch("run/config.toml")) ==
          xbar::read_file(scratch("again/config.toml")));
  // It resumes too: 50e3 there is 50000 here.
  REQUIRE(run_xbar(scratch, "train --config run/config.toml --out run --resume").code == 0);
}

TEST_CASE("cli/train_files: killed again and again, a run ends as if it never was", "[cli]") {
  const Scratch scratch;
  const auto& [leg, flags] = GENERATE(table<std::string, std::string>(
      {{"ideal", "--mode ideal --write-noise 0.01 "},
       {"in-situ-50000ohm", "--mode in-situ --write-noise 0.01 "},
       // Hidden states, a second array and a digital sum besides the weights.
       {"in-situ-50000ohm", "--mode in-situ --device reram-sb --update-rule tiki-taka-v2 "}}));
  const std::string train =
      "train --model mlp --data glyphs --train-images 3000 --test-images 500 --epochs 3 --batch 32 "
      "--on-ohm 50e3 --log-steps 7 --checkpoint-seconds 0.02 " +
      flags;
  REQUIRE(run_xbar(scratch, train + "--out whole").code == 0);
  const unsigned seed = std::random_device{}();
  CAPTURE(flags, seed);
  std::minstd_rand draw(seed);
  constexpr int kills = 4;
  for (int attempt = 0; attempt <= kills; ++attempt) {
    // Each within 0.2 s of the first line that it writes; the last one may finish.
    const double seconds = 0.0002 * static_cast<double>(draw() % 1000);
    const std::string kill = fmt::format(
        "for k in $(seq 600); do [ killed/{}/metrics.jsonl -nt mark ] && break; sleep 0.01; done\n"
        "sleep {}; kill -KILL $P\n",
        leg, seconds);
    shell(scratch, "touch mark\n$XBAR " + train +
                       "--out killed --resume >out.txt 2>err.txt & P=$!\n" +
                       (attempt < kills ? kill : std::string()) + "wait $P; echo $? >code.txt\n");
    CAPTURE(attempt, xbar::read_file(scratch("err.txt")));
    const std::string code = xbar::read_file(scratch("code.txt"));
    if (attempt == kills) REQUIRE(code == "0\n");
    REQUIRE((code == "137\n" || code == "0\n"));  // it may have been quicker
  }
  REQUIRE(run_file(scratch, "killed").at("finished") == true);
  const bool same = weights(scratch, "whole/" + leg) == weights(scratch, "killed/" + leg);
  REQUIRE(same);  // not their bytes on the screen
  REQUIRE(without_times(metrics(scratch, "whole/" + leg)) ==
          without_times(metrics(scratch, "killed/" + leg)));
}

TEST_CASE("cli/train_files: an interrupt within an epoch finishes the step and saves", "[cli]") {
  const Scratch scratch;
  const std::string train =
      "train --model mlp --data glyphs --train-images 6000 --epochs 1 --batch 8 --mode ideal "
      "--log-steps 1 "
      "--checkpoint-seconds 0 ";
  const std::string signal = GENERATE("INT", "TERM");
  // As soon as the first step is done; 750 of them take far longer.
  shell(scratch, "$XBAR " + train +
                     "--out run 2>err.txt >out.txt & P=$!\n"
                     "for k in $(seq 600); do [ -s run/ideal/metrics.jsonl ] && break; sleep 0.02; "
                     "done\n"
                     "kill -" +
                     signal + " $P; wait $P; echo $? >code.txt\n");
  REQUIRE(xbar::read_file(scratch("code.txt")) == "130\n");
  REQUIRE_THAT(xbar::read_file(scratch("err.txt")), Contains("--out run --resume"));
  REQUIRE(fs::exists(scratch("run/ideal/checkpoint.safetensors")));
  const std::size_t lines = metrics(scratch, "run/ideal").size();
  REQUIRE(lines >= 1);
  REQUIRE(lines < 750);
  // Nothing of what was done is done again.
  const std::string first = xbar::read_file(scratch("run/ideal/metrics.jsonl"));
  REQUIRE(run_xbar(scratch, train + "--out run --resume").code == 0);
  REQUIRE(xbar::read_file(scratch("run/ideal/metrics.jsonl")).rfind(first, 0) == 0);
  REQUIRE(metrics(scratch, "run/ideal").size() == 751);
}

TEST_CASE("cli/train_files: where a file cannot be written, what was saved stays", "[cli]") {
  const Scratch scratch;
  const std::string train = small + "--epochs 3 --mode ideal --checkpoint-seconds 0 ";
  REQUIRE(run_xbar(scratch, train + "--out whole").code == 0);
  // Stopped after the first epoch, or within the second or third.
  shell(scratch, "$XBAR " + train +
                     "--out run >out.txt 2>err.txt & P=$!\n"
                     "for k in $(seq 600); do [ -e run/ideal/checkpoint.safetensors ] && break; "
                     "sleep 0.01; done\n"
                     "kill -KILL $P; wait $P; true\n");
  const std::string path = scratch("run/ideal/checkpoint.safetensors");
  const std::string saved = xbar::read_file(path);
  fs::remove(scratch("run/ideal/weights.safetensors"));  // should it have been quicker
  // Files of at most 200 blocks of 512 bytes; a checkpoint has 2 MB.
  shell(scratch, "ulimit -f 200\n$XBAR " + train +
                     "--out run --resume >out.txt 2>err.txt; echo $? >code.txt\n");
  REQUIRE(xbar::read_file(scratch("code.txt")) == "2\n");
  const std::string message = xbar::read_file(scratch("err.txt"));
  REQUIRE_THAT(message, Contains("safetensors: cannot write the file: File too large"));
  REQUIRE(std::count(message.begin(), message.end(), '\n') == 1);
  REQUIRE(xbar::read_file(path) == saved);
  for (const auto& entry : fs::recursive_directory_iterator(scratch("run"))) {
    REQUIRE(entry.path().extension() != ".tmp");
  }
  REQUIRE(run_xbar(scratch, train + "--out run --resume").code == 0);
  REQUIRE(weights(scratch, "run/ideal") == weights(scratch, "whole/ideal"));
}

TEST_CASE("cli/train_files: metrics that a checkpoint counts must be there", "[cli]") {
  const Scratch scratch;
  const std::string train = small + "--epochs 1 --mode ideal --out run ";
  REQUIRE(run_xbar(scratch, train).code == 0);
  fs::resize_file(scratch("run/ideal/metrics.jsonl"), 10);
  const auto outcome = run_xbar(scratch, train + "--resume");
  REQUIRE(outcome.code == 2);
  REQUIRE_THAT(outcome.err, Contains("metrics.jsonl: expected at least"));
}

TEST_CASE("cli/train_files: a damaged data file is named before anything is written", "[cli]") {
  const Scratch scratch;
  // Two images of 28 x 28 are announced, half of one is there.
  std::string images{'\0', '\0', '\x08', '\x03', '\0', '\0', '\0', '\x02',
                     '\0', '\0', '\0',   '\x1c', '\0', '\0', '\0', '\x1c'};
  images.append(392, '\0');
  const std::string labels{'\0', '\0', '\x08', '\x01', '\0', '\0', '\0', '\x02', '\0', '\x01'};
  for (const std::string split : {"train", "t10k"}) {
    xbar::write_file_atomically(scratch("mnist/" + split + "-images-idx3-ubyte"), images);
    xbar::write_file_atomically(scratch("mnist/" + split + "-labels-idx1-ubyte"), labels);
  }
  const auto outcome = run_xbar(scratch, "train --model mlp --data mnist=mnist --out run");
  REQUIRE(outcome.code == 2);
  REQUIRE_THAT(outcome.err, Contains("mnist/train-images-idx3-ubyte") && Contains("392"));
  REQUIRE_FALSE(fs::exists(scratch("run")));
}

TEST_CASE("cli/train_files: training goes on from given weights, in every mode", "[cli]") {
  const Scratch scratch;
  REQUIRE(run_xbar(scratch, small + "--epochs 4 --mode ideal --out first").code == 0);
  const std::string from =
      "--epochs 1 --learning-rate 0.01 --weights first/ideal/weights.safetensors ";
  REQUIRE(run_xbar(scratch, small + from + "--out second").code == 0);
  for (const std::string leg : {"ideal", "in-situ-50000ohm"}) {
    const double before = metrics(scratch, "first/ideal")[2].at("train_loss");
    const double after = metrics(scratch, "second/" + leg).back().at("train_loss");
    CAPTURE(leg, before, after);
    REQUIRE(after < 0.7 * before);  // the first epoch from drawn weights
  }
  // The file belongs to the run: another one is not gone on with, the same is.
  REQUIRE(run_xbar(scratch, small + from + "--out second --resume").code == 0);
  const auto without =
      run_xbar(scratch, small + "--epochs 1 --learning-rate 0.01 --out second --resume");
  REQUIRE(without.code == 2);
  REQUIRE_THAT(without.err, Contains("weights"));
  const auto refuse = [&](const std::string& arguments, const std::string& part) {
    const auto outcome = run_xbar(scratch, "train --data glyphs --out third " + arguments);
    CAPTURE(outcome.err);
    REQUIRE(outcome.code == 2);
    REQUIRE_THAT(outcome.err, Contains(part));
    REQUIRE_FALSE(fs::exists(scratch("third")));
  };
  refuse("--model mlp --weights nowhere.safetensors", "nowhere.safetensors: cannot read");
  refuse("--model lenet5 --weights first/ideal/weights.safetensors",
         "--weights first/ideal/weights.safetensors: weights of lenet5");
}

TEST_CASE("cli/train_files: the first images only, and channels apart by commas", "[cli]") {
  const Scratch scratch;
  REQUIRE(run_xbar(scratch, small + "--epochs 1 --mode ideal --out run").code == 0);
  const json results = run_file(scratch, "run").at("results");
  REQUIRE(results.at("train_images") == 640);
  REQUIRE(results.at("test_images") == 100);
  const auto evaluate = run_xbar(scratch,
                                 "evaluate --model mlp --data glyphs --test-images 100 --json "
                                 "--on-ohm 50e3 --weights run/ideal/weights.safetensors");
  REQUIRE(evaluate.code == 0);
  REQUIRE(json::parse(evaluate.out).at("ideal").at("accuracy") ==
          results.at("runs").at(0).at("test_accuracy"));
  const auto refuse = [&](const std::string& arguments, const std::string& part) {
    const auto outcome =
        run_xbar(scratch, "train --model mlp --data glyphs --out other " + arguments);
    CAPTURE(arguments, outcome.err);
    REQUIRE(outcome.code == 2);
    REQUIRE_THAT(outcome.err, Contains(part));
    REQUIRE_FALSE(fs::exists(scratch("other")));
  };
  refuse("--train-images 1000000", "--train-images: expected 0 to 12000");
  refuse("--test-images -1", "--test-images: expected 0 to 2000");
  refuse("--pixel-mean 0.4,0.5,0.6 --pixel-deviation 0.2,0.2,0.2", "got 3");
  refuse("--checkpoint-seconds -1", "checkpoint_seconds: expected a number >= 0");
  refuse("--log-steps -1", "log_steps: expected a number >= 0");
}

TEST_CASE("cli/train_files: one thread and two give the same bits", "[cli]") {
  const Scratch scratch;
  const std::string flags = GENERATE(as<std::string>(), "--write-noise 0.01 ",
                                     "--device reram-sb --update-rule stochastic ");
  CAPTURE(flags);
  shell(scratch, "OMP_NUM_THREADS=1 $XBAR " + small + flags +
                     "--epochs 2 --out one >out.txt\n"
                     "OMP_NUM_THREADS=2 $XBAR " +
                     small + flags + "--epochs 2 --out two >out.txt\n");
  REQUIRE(run_file(scratch, "one").at("versions").at("threads") == 1);
  REQUIRE(run_file(scratch, "two").at("versions").at("threads") == 2);
  for (const std::string leg : {"ideal", "in-situ-50000ohm"}) {
    CAPTURE(leg);
    REQUIRE(weights(scratch, "one/" + leg) == weights(scratch, "two/" + leg));
    REQUIRE(without_times(metrics(scratch, "one/" + leg)) ==
            without_times(metrics(scratch, "two/" + leg)));
  }
}

TEST_CASE("cli/train_files: on a terminal a bar shows rate and remaining time", "[cli]") {
  const Scratch scratch;
  int terminal = -1;
  const winsize size{24, 120, 0, 0};
  const pid_t child = forkpty(&terminal, nullptr, nullptr, &size);
  REQUIRE(child >= 0);
  if (child == 0) {
    if (chdir(scratch("").c_str()) != 0) _exit(127);
    execl(XBAR_PROGRAM, "xbar", "train", "--model", "mlp", "--data", "glyphs", "--epochs", "3",
          "--mode", "ideal", "--on-ohm", "50e3", "--batch", "16", "--out", "run", nullptr);
    _exit(127);
  }
  std::string shown;
  std::array<char, 4096> block{};
  for (ssize_t got = 0; (got = read(terminal, block.data(), block.size())) > 0;) {
    shown.append(block.data(), static_cast<std::size_t>(got));
  }
  close(terminal);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
  REQUIRE_THAT(shown, Contains("ideal arithmetic, train") && Contains(" images/s") &&
                          Contains(" left  epoch "));
}
