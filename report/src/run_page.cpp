#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/report/run_page.hpp>

#include "run_pages/pages.hpp"
#include "run_pages/run_file.hpp"

namespace xbar::report {

std::string run_page(const std::filesystem::path& folder) {
  const pages::Run run = pages::read_run(folder);
  if (run.command == "quickstart") return pages::quickstart_page(run).html();
  if (run.command == "train") return pages::train_page(run).html();
  if (run.command == "validate") return pages::validate_page(run).html();
  if (run.command == "remap") return pages::remap_page(run).html();
  if (run.command == "device") return pages::device_page(run).html();
  if (run.command == "program") return pages::program_page(run).html();
  if (run.command == "fit") return pages::fit_page(run).html();
  if (run.command == "evaluate") return pages::evaluate_page(run).html();
  if (run.command == "sweep") return pages::sweep_page(run).html();
  throw InvalidArgument(
      fmt::format("{}: command: expected quickstart, train, evaluate, validate, remap, device, "
                  "program, fit or sweep, found '{}'",
                  (folder / "run.json").string(), run.command));
}

std::string comparison_page(const std::filesystem::path& first,
                            const std::filesystem::path& second) {
  return pages::comparison_page(pages::read_run(first), pages::read_run(second)).html();
}

}  // namespace xbar::report
