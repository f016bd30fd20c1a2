#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/report/run_page.hpp>

#include "commands.hpp"

namespace xbar::cli {
namespace {

class ReportCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "report"; }
  [[nodiscard]] std::string description() const override {
    return "one HTML page with the plots of a run; needs no network";
  }
  void declare(CLI::App& app) override {
    require(app.add_option("DIR", folder_, "folder of the run, with its run.json"));
  }
  int run() override {
    const std::filesystem::path page = std::filesystem::path(folder_) / "index.html";
    write_file_atomically(page, report::run_page(folder_));
    fmt::print("{}\n", page.string());
    return 0;
  }

 private:
  std::string folder_;
};

}  // namespace

std::unique_ptr<Command> make_report_command() { return std::make_unique<ReportCommand>(); }

}  // namespace xbar::cli
