#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>

#include "commands.hpp"
#include "console.hpp"
#include "flags.hpp"
#include "study.hpp"

namespace xbar::cli {
namespace {

class ValidateCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "validate"; }
  [[nodiscard]] std::string description() const override {
    return "surrogates against the exact solver over sizes and line resistances";
  }
  void declare(CLI::App& app) override {
    app.add_option("--size", sizes_, "sides of the square arrays")->delimiter(',');
    app.add_option("--line-ohm", line_ohm_, "wordline and bitline resistances, ohm")
        ->delimiter(',');
    app.add_option("--on-ohm", on_ohm_, "resistances of a fully switched-on cell, ohm")
        ->delimiter(',');
    app.add_option("--on-off-ratio", point_.on_off_ratio, "R_off / R_on");
    app.add_option("--source-ohm", point_.wires.source_ohm, "driver resistance, ohm");
    app.add_option("--sink-ohm", point_.wires.sink_ohm, "sense resistance, ohm");
    app.add_option("--arrays", options_.arrays, "random arrays a point");
    app.add_option("--inputs", options_.inputs, "random sparse input vectors an array");
    add_seed_flag(app, options_.seed);
    require(app.add_option("--out", out_path_, "folder of the run")->type_name("DIR"));
  }

  int run() override {
    std::vector<validation::StudyPoint> points;
    for (const double on : on_ohm_) {
      for (const Index size : sizes_) {
        for (const double line : line_ohm_) {
          if (size < 1 || size > 1024) {
            throw InvalidArgument(fmt::format("--size: expected 1 to 1024, got {}", size));
          }
          validation::StudyPoint point = point_;
          point.size = size;
          point.on_ohm = on;
          point.wires.wordline_ohm = point.wires.bitline_ohm = line;
          check_wires(point.wires);
          (void)device::conductance_range(on, point.on_off_ratio);
          points.push_back(point);
        }
      }
    }
    RunFolder folder(out_path_, name(), settings(), false);
    std::vector<validation::StudyRow> rows;
    {
      ProgressBar bar;
      rows = validation::surrogate_study(points, options_, bar.callback());
    }
    print_study(rows);
    folder.results()["study"] = to_json(rows);
    write_file_atomically(folder.file("study.csv"), study_csv(rows));
    folder.save(true);
    fmt::print("\nwritten to {0}: study.csv, run.json\nnext: xbar report {0}\n",
               folder.path().string());
    return 0;
  }

 private:
  std::vector<Index> sizes_ = {16, 32, 64, 128};
  std::vector<double> line_ohm_ = {0.1, 1, 5};
  std::vector<double> on_ohm_ = {20e3, 100e3};
  validation::StudyPoint point_;
  validation::StudyOptions options_;
  std::string out_path_;
};

}  // namespace

std::unique_ptr<Command> make_validate_command() { return std::make_unique<ValidateCommand>(); }

}  // namespace xbar::cli
