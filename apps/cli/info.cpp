#include <fmt/format.h>

#include <xbar/core/gemm.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/core/machine.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/version.hpp>
#include <xbar/nn/models.hpp>

#include "commands.hpp"
#include "run_folder.hpp"

namespace xbar::cli {
namespace {

class InfoCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "info"; }
  [[nodiscard]] std::string description() const override {
    return "version, instruction set, threads, matrix-multiply engine and its speed here";
  }
  void declare(CLI::App& app) override {
    app.add_flag("--json", json_, "print one JSON object and nothing else");
  }
  int run() override {
    const double gflops = measure_gemm_gflops();
    if (json_) {
      const Json document = {{"version", version},           {"isa", isa_name(isa())},
                             {"threads", thread_count()},    {"cpu", cpu_name()},
                             {"gemm_engine", gemm_engine()}, {"gemm_gflops", gflops},
                             {"models", nn::model_names()}};
      fmt::print("{}\n", document.dump());
      return 0;
    }
    fmt::print("xbar            {}\n", version);
    fmt::print("processor       {}\n", cpu_name());
    fmt::print("own kernels     {} (XBAR_ISA=baseline|avx2|avx512 lowers it)\n", isa_name(isa()));
    fmt::print("threads         {} (OMP_NUM_THREADS sets it)\n", thread_count());
    fmt::print("matrix multiply {}\n", gemm_engine());
    fmt::print("  reaches       {:.0f} GFLOP/s in single precision at 1024 x 1024\n", gflops);
    fmt::print("networks        {}\n", fmt::join(nn::model_names(), ", "));
    return 0;
  }

 private:
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_info_command() { return std::make_unique<InfoCommand>(); }

}  // namespace xbar::cli
