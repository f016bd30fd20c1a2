#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/report/run_page.hpp>

#include "commands.hpp"

namespace xbar::cli {
namespace fs = std::filesystem;
namespace {

class ReportCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "report"; }
  [[nodiscard]] std::string description() const override {
    return "one HTML page with the plots of a run, or of two side by side; needs no network";
  }
  void declare(CLI::App& app) override {
    require(app.add_option("DIR", folders_,
                           "folder of the run, with its run.json; two folders: compared")
                ->type_name("DIR")
                ->expected(1, 2));
    app.add_option("--out", out_path_,
                   "the page; default: index.html in the folder, of two runs "
                   "against-FIRST.html in the second")
        ->type_name("FILE");
  }
  int run() override {
    const fs::path first = folders_.front();
    const bool two = folders_.size() == 2;
    const std::string html =
        two ? report::comparison_page(first, folders_.back()) : report::run_page(first);
    fs::path page = out_path_;
    if (page.empty() && two) {
      page = fs::path(folders_.back()) /
             fmt::format("against-{}.html", fs::weakly_canonical(first).filename().string());
    } else if (page.empty()) {
      page = first / "index.html";
    }
    write_file_atomically(page, html);
    fmt::print("{}\n", page.string());
    return 0;
  }

 private:
  std::vector<std::string> folders_;
  std::string out_path_;
};

}  // namespace

std::unique_ptr<Command> make_report_command() { return std::make_unique<ReportCommand>(); }

}  // namespace xbar::cli
