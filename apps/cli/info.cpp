#include <fmt/format.h>

#include <xbar/core/gemm.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/core/machine.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/version.hpp>
#include <xbar/device/pulse_device.hpp>
#include <xbar/device/pulse_presets.hpp>
#include <xbar/nn/models.hpp>
#include <xbar/sweep/table.hpp>

#include "commands.hpp"
#include "mpi_session.hpp"
#include "run_folder.hpp"

namespace xbar::cli {
namespace {

void print_devices(bool as_json) {
  Json list = Json::array();
  for (const std::string& name : device::preset_names()) {
    const device::PulseDevice preset = device::read_pulse_device(name);
    constexpr double middle = 0.5;
    const double up = 1 / preset.model->up_step(middle);
    const double down = 1 / preset.model->down_step(middle);
    list.push_back({{"name", name},
                    {"model", preset.model->name()},
                    {"g_min_siemens", preset.g_min_siemens},
                    {"g_max_siemens", preset.g_max_siemens},
                    {"up_pulses", up},
                    {"down_pulses", preset.one_way ? Json(nullptr) : Json(down)},
                    {"one_way", preset.one_way},
                    {"description", preset.description},
                    {"source", preset.source}});
    if (as_json) continue;
    if (list.size() == 1) {
      fmt::print("{:<18} {:<12} {:>9} {:>9} {:>7} {:>7}  {}\n", "device", "model", "g_min/uS",
                 "g_max/uS", "up", "down", "description");
    }
    fmt::print("{:<18} {:<12} {:>9.4g} {:>9.4g} {:>7.0f} {:>7}  {}\n", name, preset.model->name(),
               preset.g_min_siemens * 1e6, preset.g_max_siemens * 1e6, up,
               preset.one_way ? "reset" : fmt::format("{:.0f}", down), preset.description);
  }
  if (as_json) {
    fmt::print("{}\n", Json{{"devices", list}}.dump());
  } else {
    fmt::print(
        "up, down: pulses that cross the range at the size that they have in its middle. Each "
        "name\n"
        "is taken where a device file is; docs/devices.md says what such a file holds.\n");
  }
}

class InfoCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "info"; }
  [[nodiscard]] std::string description() const override {
    return "version, instruction set, threads, matrix-multiply engine and its speed here; devices";
  }
  void declare(CLI::App& app) override {
    app.add_flag("--json", json_, "print one JSON object and nothing else");
    app.add_flag("--devices", devices_, "list the devices that come with xbar instead");
  }
  int run() override {
    if (devices_) {
      print_devices(json_);
      return 0;
    }
    const double gflops = measure_gemm_gflops();
    if (json_) {
      const Json document = {{"version", version},
                             {"isa", isa_name(isa())},
                             {"threads", thread_count()},
                             {"cpu", cpu_name()},
                             {"mpi", MpiSession::is_built()},
                             {"hdf5", sweep::has_hdf5()},
                             {"gemm_engine", gemm_engine()},
                             {"gemm_gflops", gflops},
                             {"models", nn::model_names()}};
      fmt::print("{}\n", document.dump());
      return 0;
    }
    fmt::print("xbar            {}\n", version);
    fmt::print("processor       {}\n", cpu_name());
    fmt::print("own kernels     {} (XBAR_ISA=baseline|avx2|avx512 lowers it)\n", isa_name(isa()));
    fmt::print("threads         {} (OMP_NUM_THREADS sets it)\n", thread_count());
    fmt::print("matrix multiply {}\n", gemm_engine());
    fmt::print("MPI             {}\n", MpiSession::is_built() ? "yes" : "no");
    fmt::print("HDF5            {}\n", sweep::has_hdf5() ? "yes" : "no");
    fmt::print("  reaches       {:.0f} GFLOP/s in single precision at 1024 x 1024\n", gflops);
    fmt::print("networks        {}\n", fmt::join(nn::model_names(), ", "));
    return 0;
  }

 private:
  bool json_ = false;
  bool devices_ = false;
};

}  // namespace

std::unique_ptr<Command> make_info_command() { return std::make_unique<InfoCommand>(); }

}  // namespace xbar::cli
